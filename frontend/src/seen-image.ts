/** What a tab remembers of a person's way through the images: forgotten with them. */

/** The list of images as it was left: its address, with what was searched for, and how far down. */
export const GRID_PLACE = "maskwright-grid";
const SEEN_PLACES = "maskwright-seen-";

/** Which image of a dataset the editor showed last, for the list that comes after it. */
export function noteSeen(datasetId: number, imageId: number): void {
  sessionStorage.setItem(SEEN_PLACES + datasetId, String(imageId));
}

/** Once: who comes to the list later begins at its top. */
export function takeSeen(datasetId: number): number | null {
  const seen = sessionStorage.getItem(SEEN_PLACES + datasetId);
  sessionStorage.removeItem(SEEN_PLACES + datasetId);
  return seen === null ? null : Number(seen);
}

export const isWayPlace = (place: string): boolean => place === GRID_PLACE || place.startsWith(SEEN_PLACES);
