/** A row of tabs that is wider than the window begins with the current one in view. */
export function tabs(root: HTMLElement): void {
  const current = root.querySelector<HTMLElement>("[aria-current]");
  if (!current) return;
  const { left, width } = current.getBoundingClientRect();
  const row = root.getBoundingClientRect();
  root.scrollLeft += left + width / 2 - (row.left + row.width / 2);
}
