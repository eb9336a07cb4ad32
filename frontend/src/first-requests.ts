/**
 * The editor page's first requests, sent while the browser still reads the big script: what the
 * script will ask for first is then on its way, or there.
 *
 * A file of its own, loaded ahead of that script. It must stay small and import nothing.
 */

interface Opened {
  readonly image: { readonly id: number; readonly has_file: boolean; readonly width: number; readonly height: number };
  readonly dataset: { readonly id: number };
  readonly query: string;
  readonly tiled_from_pixels: number;
}

/** As `fetchTransport` and the pictures ask; another path would be fetched for nothing. */
function firstPaths({ image, dataset, query, tiled_from_pixels: tiledFrom }: Opened): string[] {
  const picture = image.width * image.height > tiledFrom ? "tiles" : "picture";
  return [
    `/api/images/${image.id}/visit${query && `?${query}`}`,
    `/api/datasets/${dataset.id}/categories?limit=500`,
    "/api/me/preferences",
    ...(image.has_file ? [`/api/images/${image.id}/${picture}`] : []),
  ];
}

const sent = new Map<string, Promise<Response>>();

function send(): void {
  const block = globalThis.document?.getElementById("maskwright-page");
  if (!block?.textContent) return;
  for (const path of firstPaths(JSON.parse(block.textContent) as Opened)) {
    const answer = fetch(path, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    // Who asks for it hears of a failure.
    answer.catch(() => undefined);
    sent.set(path, answer);
  }
}

/** `fetch`, which gives the answer to a first request to the first one who asks for the same. */
export const firstFetch: typeof fetch = (input, init) => {
  const first = (init?.method ?? "GET") === "GET" && typeof input === "string" ? sent.get(input) : undefined;
  if (!first) return fetch(input, init);
  sent.delete(input as string);
  return first;
};

send();
