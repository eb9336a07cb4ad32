import { takeSeen } from "../seen-image";
import { find } from "./dom";
import { loadUntil } from "./grid";
import { requestJson } from "./http";

const STORE = "maskwright-grid";
/** So far down a list nobody is taken back: it would be loaded page by page. */
const MOST_CARDS = 1_200;

interface Place {
  readonly address: string;
  readonly cards: number;
  readonly top: number;
}

/**
 * Brings one back to where one was in a list that loads while one scrolls: after
 * Back and a reload to the same place, after the editor to the image that it
 * showed last.
 */
export function place(root: HTMLElement): void {
  const list = find(root, "[data-controller=grid]");
  addEventListener("pagehide", () => {
    sessionStorage.setItem(STORE, JSON.stringify({ address: address(), cards: cards(list), top: scrollY }));
  });
  // A page that the browser kept shows counts and states of back then.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) location.reload();
  });
  // The list itself comes to life after what is around it.
  queueMicrotask(() => void restore(list, Number(root.dataset["dataset"])));
}

async function restore(list: HTMLElement, dataset: number): Promise<void> {
  const seen = takeSeen(dataset);
  const last = isReturn() ? lastPlace() : null;
  const here = address();
  if (last) {
    await loadUntil(list, () => cards(list) >= Math.min(last.cards, MOST_CARDS));
    if (here === address()) scrollTo({ top: last.top, behavior: "instant" });
  }
  if (seen === null || !(isReturn() || isFromEditor())) return;
  try {
    await showImage(list, seen);
  } catch {
    // The list is there; where to begin in it can be found by hand.
  }
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

function isFromEditor(): boolean {
  return document.referrer.startsWith(`${location.origin}/images/`);
}

function lastPlace(): Place | null {
  const last = stored();
  return last?.address === address() ? last : null;
}

const stored = (): Place | null => JSON.parse(sessionStorage.getItem(STORE) ?? "null") as Place | null;

async function showImage(list: HTMLElement, image: number): Promise<void> {
  const position = card(list, image) ? 0 : await positionOf(list, image);
  if (position === null || position > MOST_CARDS) return;
  await loadUntil(list, () => card(list, image) !== null);
  const link = card(list, image)?.querySelector<HTMLElement>("a");
  if (!link) return;
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

const address = (): string => location.pathname + location.search;
const cards = (list: HTMLElement): number => list.querySelectorAll("[data-image]").length;
const card = (list: HTMLElement, image: number): HTMLElement | null => list.querySelector(`[data-image="${image}"]`);

function isInView(element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}
