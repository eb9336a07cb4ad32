/** From DOM events on the stage to what the hand understands. */

import type { Editor } from "../editor/editor";
import type { PointerInput } from "../editor/input";
import { screenPoint, type ScreenPoint } from "../geometry/point";

const LINE_PIXELS = 16;

/** How the rubber end of a pen is told of (Pointer Events, chapter 4.1.3). */
const RUBBER = { button: 5, buttons: 32 };

function screenOf(element: Element, event: { clientX: number; clientY: number }): ScreenPoint {
  const { left, top } = element.getBoundingClientRect();
  return screenPoint(event.clientX - left, event.clientY - top);
}

function deviceOf(event: PointerEvent): PointerInput["device"] {
  return event.pointerType === "touch" || event.pointerType === "pen" ? event.pointerType : "mouse";
}

function inputOf(
  type: PointerInput["type"],
  event: PointerEvent,
  element: Element,
  editor: Editor,
): PointerInput {
  const screen = screenOf(element, event);
  return {
    type,
    pointerId: event.pointerId,
    device: deviceOf(event),
    button: event.button === RUBBER.button ? 0 : event.button,
    screen,
    image: editor.toImage(screen),
    shift: event.shiftKey,
    primary: event.ctrlKey || event.metaKey,
    alt: event.altKey,
    rubber: event.button === RUBBER.button || (event.buttons & RUBBER.buttons) !== 0,
    time: event.timeStamp,
  };
}

/** Connects a stage to the editor's hand; the function it gives disconnects it again. */
export function connectPointer(element: HTMLElement, editor: Editor): () => void {
  const connection = new AbortController();
  const options = { signal: connection.signal };

  const pressed = new Set<number>();

  const pass = (type: PointerInput["type"], event: PointerEvent): void => {
    if (type === "down") pressed.add(event.pointerId);
    else if (type !== "move") pressed.delete(event.pointerId);
    editor.hand.pointer(inputOf(type, event, element, editor));
  };

  element.addEventListener(
    "pointerdown",
    (event) => {
      // Keys mean the stage from now on, not the button that was pressed before.
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      element.setPointerCapture(event.pointerId);
      // The middle button would start the browser's own scrolling.
      if (event.button === 1) event.preventDefault();
      pass("down", event);
    },
    options,
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      // Freehand takes every point the device has seen, not only one a frame. Some browsers
      // cannot tell them.
      const all = (editor.hand.busy && event.getCoalescedEvents?.()) || [];
      for (const each of all.length > 0 ? all : [event]) pass("move", each);
    },
    options,
  );
  // Focus by pointer would draw a frame around the stage at the next key.
  element.addEventListener("mousedown", (event) => event.preventDefault(), options);
  element.addEventListener("pointerup", (event) => pass("up", event), options);
  element.addEventListener("pointercancel", (event) => pass("abort", event), options);
  element.addEventListener(
    "lostpointercapture",
    (event) => {
      // Follows every release; without one the release went elsewhere, such as to a dialog.
      if (pressed.has(event.pointerId)) pass("abort", event);
    },
    options,
  );
  element.addEventListener("contextmenu", (event) => event.preventDefault(), options);
  element.addEventListener(
    "pointerleave",
    () => {
      editor.pointerAt = null;
      editor.hover(null);
      editor.signal.emit("tool");
    },
    options,
  );
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1);
      // A trackpad's pinch arrives as a wheel with Ctrl, in much smaller steps.
      const factor = Math.exp(-Math.max(-200, Math.min(200, pixels)) * (event.ctrlKey ? 0.01 : 0.002));
      editor.zoom(factor, screenOf(element, event));
    },
    { ...options, passive: false },
  );
  return () => connection.abort();
}
