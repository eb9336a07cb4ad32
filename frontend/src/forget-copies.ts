/** What a browser keeps of annotations goes with the person who signs out; what is not saved stays. */

import { CLIPBOARD_PLACES } from "./editor/clipboard";
import { POSES_PLACES } from "./editor/last-poses";

export function forgetCopies(store: Pick<Storage, "length" | "key" | "removeItem">): void {
  const places = Array.from({ length: store.length }, (_, i) => store.key(i) ?? "");
  for (const place of places) {
    if (place.startsWith(CLIPBOARD_PLACES) || place.startsWith(POSES_PLACES)) store.removeItem(place);
  }
}
