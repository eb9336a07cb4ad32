/** The parts of the panel that are there: a low sheet shows a few rows of them, and has a button for each. */

import { getContext, setContext } from "svelte";

export interface Part {
  readonly name: string;
  readonly element: HTMLElement;
  readonly unfold: () => void;
}

/** Tells of a part that is there now; what is returned tells that it went. */
export type AddPart = (part: Part) => () => void;

const CONTEXT = Symbol("parts of the panel");

export const provideParts = (add: AddPart): AddPart => setContext(CONTEXT, add);

export const useParts = (): AddPart => getContext<AddPart>(CONTEXT);

/** From the top of the panel down, whichever came first. */
export function inOrder(parts: readonly Part[]): Part[] {
  const { DOCUMENT_POSITION_FOLLOWING: following } = Node;
  return [...parts].sort((a, b) => (a.element.compareDocumentPosition(b.element) & following ? -1 : 1));
}
