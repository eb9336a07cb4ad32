/** Shows an element with other tones, by an SVG filter of its own: the compositor applies it. */

import { hasTones, tonesOf, type Display } from "../editor/display";

const SVG = "http://www.w3.org/2000/svg";
const ID = "stage-tones";

function node(name: string, attributes: Readonly<Record<string, string>>, ...inner: Element[]): Element {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inner);
  return element;
}

/** Gives the filter's element, to be put into the page beside the one that it works on. */
export function applyTones(element: HTMLElement, display: Display): Element | null {
  if (!hasTones(display)) {
    element.style.filter = "";
    return null;
  }
  const { matrix, amplitude, exponent, offset } = tonesOf(display);
  const curve = { type: "gamma", amplitude: `${amplitude}`, exponent: `${exponent}`, offset: `${offset}` };
  const curves = ["R", "G", "B"].map((channel) => node(`feFunc${channel}`, curve));
  const filter = node(
    "filter",
    { id: ID, "color-interpolation-filters": "sRGB", x: "0", y: "0", width: "1", height: "1" },
    node("feColorMatrix", { type: "matrix", values: matrix }),
    node("feComponentTransfer", {}, ...curves),
  );
  element.style.filter = `url(#${ID})`;
  return node("svg", { width: "0", height: "0", "aria-hidden": "true" }, filter);
}
