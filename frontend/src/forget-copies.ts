/** What a browser keeps of annotations, and of the way to them, goes with the person who signs out; what is not saved stays. */

import { CLIPBOARD_PLACES } from "./editor/clipboard";
import { POSES_PLACES } from "./editor/last-poses";
import { isWayPlace } from "./seen-image";

type Store = Pick<Storage, "length" | "key" | "removeItem">;

const isForgotten = (place: string): boolean =>
  place.startsWith(CLIPBOARD_PLACES) || place.startsWith(POSES_PLACES) || isWayPlace(place);

/** Of the browser, and of this tab. */
export function forgetCopies(...stores: readonly Store[]): void {
  for (const store of stores) {
    const places = Array.from({ length: store.length }, (_, i) => store.key(i) ?? "");
    for (const place of places) if (isForgotten(place)) store.removeItem(place);
  }
}
