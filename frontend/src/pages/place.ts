import { GRID_PLACE, noteSeen, takeSeen } from "../seen-image";
import { find } from "./dom";
import { loadUntil } from "./grid";
import { cookie, requestJson } from "./http";

/** So far down a list nobody is taken back: it would be loaded page by page. */
const MOST_CARDS = 1_200;
/** Frames that a place is held for, and for so many at most where the page does not come to rest. */
const STILL = 20;
const MOST_FRAMES = 180;

interface Place {
  readonly address: string;
  readonly cards: number;
  /** The first image that begins in sight, and how far below the top of the window, in CSS pixels. */
  readonly image: number;
  readonly top: number;
}

/**
 * Brings one back to where one was in a list that loads while one scrolls: after
 * Back and a reload to the same place, after the editor to the image that it
 * showed last.
 */
export function place(root: HTMLElement): void {
  const list = find(root, "[data-controller=grid]");
  const dataset = Number(root.dataset["dataset"]);
  const seen = takeSeen(dataset);
  const isBusy = untilTheyAct();
  let isBack = false;
  addEventListener("pagehide", () => {
    // Who has just signed out is forgotten.
    if (cookie("maskwright_csrf") === "") return;
    // Who goes while the list is still being brought back comes back to the same place.
    if (isBack || isBusy()) sessionStorage.setItem(GRID_PLACE, JSON.stringify(placeIn(list)));
    else if (seen !== null) noteSeen(dataset, seen);
  });
  // A page that the browser kept shows counts and states of back then.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && !document.querySelector("dialog[open]")) location.reload();
  });
  // The list itself comes to life after what is around it.
  queueMicrotask(() => void restore(list, seen, isBusy).finally(() => (isBack = true)));
}

async function restore(list: HTMLElement, seen: number | null, isBusy: () => boolean): Promise<void> {
  const last = isReturn() || isFromTab() ? lastPlace() : null;
  // Two that scroll at once, the browser and this, end somewhere else.
  history.scrollRestoration = last ? "manual" : "auto";
  if (last) {
    await loadUntil(list, () => isBusy() || cards(list) >= Math.min(last.cards, MOST_CARDS));
    await hold(card(list, last.image), last.top, isBusy);
  }
  if (seen === null || !(isReturn() || isFromEditor())) return;
  try {
    await showImage(list, seen, isBusy);
  } catch {
    // The list is there; where to begin in it can be found by hand.
  }
}

/** Scroll an element to there, and again until it stays: rows above get their true height as they come into sight. */
async function hold(element: HTMLElement | null, top: number, isBusy: () => boolean): Promise<void> {
  let last = NaN;
  for (let frame = 0, still = 0; element && still < STILL && frame < MOST_FRAMES && !isBusy(); frame++) {
    // At rest also where the list has become too short to be scrolled so far.
    still = Math.abs(topOf(element) - last) < 1 ? still + 1 : 0;
    scrollBy({ top: topOf(element) - top, behavior: "instant" });
    last = topOf(element);
    await new Promise(requestAnimationFrame);
  }
}

/** Whether they have begun to do something themselves, or chosen other filters. */
function untilTheyAct(): () => boolean {
  const here = address();
  const acted = new AbortController();
  for (const kind of ["wheel", "pointerdown", "touchstart", "keydown"]) {
    addEventListener(kind, (event) => isBrowsers(event) || acted.abort(), { capture: true, passive: true, signal: acted.signal });
  }
  return () => acted.signal.aborted || address() !== here;
}

/** Keys of the browser's own, such as those for a reload and for Back. */
function isBrowsers(event: Event): boolean {
  if (!(event instanceof KeyboardEvent)) return false;
  const { key, ctrlKey, metaKey, altKey } = event;
  return ctrlKey || metaKey || altKey || ["F5", "Control", "Meta", "Alt"].includes(key);
}

/** The list as it was filtered last, of this dataset. */
export function lastFilters(page: string): string | null {
  const last = stored();
  return last && new URL(last.address, location.origin).pathname === page ? last.address : null;
}

/** Back, forward or a reload. */
function isReturn(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "back_forward" || entry?.type === "reload";
}

/** From what the dataset shows beside its list, as its statistics. */
function isFromTab(): boolean {
  return document.referrer.startsWith(`${location.origin}${location.pathname}/`);
}

function isFromEditor(): boolean {
  return document.referrer.startsWith(`${location.origin}/images/`);
}

function lastPlace(): Place | null {
  const last = stored();
  return last?.address === address() ? last : null;
}

function stored(): Place | null {
  try {
    return JSON.parse(sessionStorage.getItem(GRID_PLACE) ?? "null") as Place | null;
  } catch {
    // Whoever wrote something else there.
    return null;
  }
}

async function showImage(list: HTMLElement, image: number, isBusy: () => boolean): Promise<void> {
  const position = card(list, image) ? 0 : await positionOf(list, image);
  if (position === null || position > MOST_CARDS) return;
  await loadUntil(list, () => isBusy() || card(list, image) !== null || cards(list) >= MOST_CARDS);
  const link = card(list, image)?.querySelector<HTMLElement>("a");
  if (!link || isBusy()) return;
  if (!isInView(link)) link.scrollIntoView({ block: "center", behavior: "instant" });
  // The keys go on from here.
  link.focus({ preventScroll: true });
}

/** Its number in the list as it is now; null where the filters leave it out. */
async function positionOf(list: HTMLElement, image: number): Promise<number | null> {
  const link = list.querySelector<HTMLAnchorElement>("[data-image] > a");
  if (!link) return null;
  const found = await requestJson<{ position: number | null }>("GET", `/api/images/${image}/neighbours${link.search}`);
  return found.position;
}

function placeIn(list: HTMLElement): Place {
  const all = [...list.querySelectorAll<HTMLElement>("[data-image]")];
  const first = all.find((each) => topOf(each) >= 0);
  return {
    address: address(),
    cards: all.length,
    image: Number(first?.dataset["image"]),
    top: first ? topOf(first) : 0,
  };
}

const address = (): string => location.pathname + location.search;
const cards = (list: HTMLElement): number => list.querySelectorAll("[data-image]").length;
const card = (list: HTMLElement, image: number): HTMLElement | null => list.querySelector(`[data-image="${image}"]`);

const topOf = (element: HTMLElement): number => element.getBoundingClientRect().top;

function isInView(element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  // What stays on top of the window lies over what is scrolled.
  const { scrollPaddingTop } = getComputedStyle(document.documentElement);
  return top >= (parseFloat(scrollPaddingTop) || 0) && bottom <= innerHeight;
}
