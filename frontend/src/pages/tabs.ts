import { findAll } from "./dom";
import { lastFilters } from "./place";

/**
 * A row of tabs that is wider than the window begins with the current one in view. From the
 * others the list of images is found with the filters that it was left with.
 */
export function tabs(root: HTMLElement): void {
  const current = root.querySelector<HTMLElement>("[aria-current]");
  if (!current) return;
  for (const tab of findAll<HTMLAnchorElement>(root, "a:not([aria-current])")) {
    tab.href = lastFilters(tab.pathname) ?? tab.href;
  }
  const { left, width } = current.getBoundingClientRect();
  const row = root.getBoundingClientRect();
  root.scrollLeft += left + width / 2 - (row.left + row.width / 2);
}
