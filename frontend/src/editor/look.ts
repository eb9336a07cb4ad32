/** How objects are drawn, as the person wants it. It changes no annotation. */

export interface Look {
  /** The colour of its category, or one of its own for each object. */
  readonly colorBy: "category" | "instance";
  /** 0 to 1. */
  readonly fillOpacity: number;
  readonly outlineOnly: boolean;
  /** The category's name beside each object. */
  readonly labels: boolean;
}

export const DEFAULT_LOOK: Look = {
  colorBy: "category",
  fillOpacity: 0.28,
  outlineOnly: false,
  labels: false,
};

export const sameLook = (a: Look, b: Look): boolean =>
  a.colorBy === b.colorBy &&
  a.fillOpacity === b.fillOpacity &&
  a.outlineOnly === b.outlineOnly &&
  a.labels === b.labels;

/** A colour that belongs to this object, the same as long as the object is there. */
export function instanceColor(key: string): string {
  let hash = 2166136261;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619);
  // Multiples of the golden ratio keep hues of consecutive ids apart.
  const turn = ((hash >>> 8) * 0.618033988749895) % 1;
  return hexOf(turn, 0.72, 0.58);
}

/** Hue, saturation and lightness, each 0 to 1, as `#rrggbb`. */
function hexOf(hue: number, saturation: number, lightness: number): string {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const part = (shift: number): string => {
    const k = (shift + hue * 12) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** Relative luminance of `#rrggbb`, 0 to 1, by WCAG 2.2; 1 for a colour of another form. */
export function luminance(color: string): number {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return 1;
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
