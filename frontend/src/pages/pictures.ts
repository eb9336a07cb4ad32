import { findAll, instantiate } from "./dom";

/** A server that was busy is asked once more. */
const AGAIN_MS = 5_000;

/** A card whose picture cannot be shown says so, instead of the browser's sign for it. */
export function bindPictures(): void {
  // Errors of pictures do not bubble. Lists grow: whatever comes later is heard, too.
  document.addEventListener("error", ({ target }) => target instanceof HTMLImageElement && sayBroken(target), true);
  for (const image of findAll<HTMLImageElement>(document, ".card-picture img")) {
    if (image.complete && image.naturalWidth === 0) image.decode().catch(() => sayBroken(image));
  }
}

function sayBroken(image: HTMLImageElement): void {
  const picture = image.closest(".card-picture");
  // Of an image without a file it is said already.
  if (picture?.querySelector(".no-pixels")) return image.remove();
  picture?.replaceChildren(instantiate("broken-picture"));
  setTimeout(() => {
    const again = new Image();
    again.alt = "";
    again.addEventListener("load", () => picture?.replaceChildren(again));
    again.src = image.src;
  }, AGAIN_MS);
}
