import { findAll } from "./dom";
import { requestHtml } from "./http";
import { localTimes } from "./time";
import { sayError } from "./toast";

const AHEAD = "800px";
const observers = new WeakMap<Element, IntersectionObserver>();

/**
 * A list that goes on while one scrolls: `data-next` is the address of the
 * items that follow. The last of them brings the address after it, on an
 * element with `data-following`.
 */
export function grid(root: HTMLElement): void {
  observers.get(root)?.disconnect();
  const observer = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void load();
    },
    { rootMargin: AHEAD },
  );
  observers.set(root, observer);
  let loading = false;

  async function load(): Promise<void> {
    const url = root.dataset["next"];
    if (loading || url === undefined || url === "") return;
    loading = true;
    root.setAttribute("aria-busy", "true");
    try {
      append(root, await requestHtml(url));
    } catch (error) {
      // The list stays as it is; scrolling up and down tries again.
      sayError(error);
    } finally {
      loading = false;
      root.removeAttribute("aria-busy");
      watch();
    }
  }

  function watch(): void {
    observer.disconnect();
    const last = root.lastElementChild;
    if (last !== null && (root.dataset["next"] ?? "") !== "") observer.observe(last);
  }
  watch();
}

/** Put a part of the list at its end, and remember where it goes on. */
function append(root: HTMLElement, part: DocumentFragment): void {
  root.dataset["next"] = "";
  for (const marker of findAll(part, "[data-following]")) {
    root.dataset["next"] = marker.dataset["following"] ?? "";
    const { matching } = marker.dataset;
    if (matching !== undefined) root.dispatchEvent(new CustomEvent("matching", { detail: matching }));
    marker.remove();
  }
  localTimes(part);
  root.append(part);
}

/** Show another list in its place, from the start. */
export async function replaceGrid(root: HTMLElement, url: string): Promise<void> {
  const part = await requestHtml(url);
  root.replaceChildren();
  append(root, part);
  grid(root);
}
