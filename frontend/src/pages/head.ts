let asked = 0;
let shown = 0;

/** Take the counts and the progress in a dataset's head from the server anew. */
export async function refreshHead(): Promise<Document | null> {
  const mine = ++asked;
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return null;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // Whoever asked later was told more.
  if (mine < shown) return fresh;
  shown = mine;
  for (const id of ["totals", "progress"]) {
    const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
    if (old !== null && next !== null) old.replaceChildren(...next.childNodes);
  }
  return fresh;
}
