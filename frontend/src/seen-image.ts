/** Which image of a dataset the editor showed last in this tab, for the grid that comes after it. */

const place = (datasetId: number): string => `maskwright-seen-${datasetId}`;

export function noteSeen(datasetId: number, imageId: number): void {
  sessionStorage.setItem(place(datasetId), String(imageId));
}

/** Once: who comes to the grid later begins at its top. */
export function takeSeen(datasetId: number): number | null {
  const seen = sessionStorage.getItem(place(datasetId));
  sessionStorage.removeItem(place(datasetId));
  return seen === null ? null : Number(seen);
}
