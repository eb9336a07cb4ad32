/** Which image the page is at. */

import { fetchWhole, isLarger } from "./api/pictures";
import { nothingAhead, type AheadPicture } from "./api/prefetch";
import type { PageData } from "./session";

/** NaN where the address is none of an image. */
export function imageInAddress(): number {
  return Number(/^\/images\/(\d+)$/.exec(location.pathname)?.[1]);
}

/** The address is that of this image: it follows, or comes back where it went ahead. */
export function setAddress(imageId: number, href: string): void {
  if (imageInAddress() !== imageId) history.pushState(null, "", href);
}

/** What is being typed into a field belongs to the image that is on the stage: it counts as typed before that changes. */
export function takeTyped(): void {
  (document.activeElement as HTMLElement | null)?.blur();
}

/** The picture of the image that the page was opened with. Of one that comes in tiles, a small one may have to stand in first. */
export function firstPicture({ image, tiled_from_pixels: tiledFrom }: PageData): AheadPicture {
  const ahead = nothingAhead();
  if (!image.has_file || isLarger(image, tiledFrom)) return ahead;
  const picture = fetchWhole(image, tiledFrom, ahead.stop.signal);
  return { ...ahead, picture: picture.then((whole) => whole && { picture: whole, whole: true }) };
}
