/**
 * How the picture itself is shown: tones, guides, minimap. For the eye only: no
 * pixel and no annotation is changed by it.
 */

export type Channel = "all" | "red" | "green" | "blue";

export interface Display {
  /** 1 leaves it as it is; 0 to 2. */
  readonly brightness: number;
  readonly contrast: number;
  /** 1 leaves it as it is, more lifts the shadows; 0.25 to 4. */
  readonly gamma: number;
  readonly invert: boolean;
  /** One channel alone is shown in grey. */
  readonly channel: Channel;
  readonly crosshair: boolean;
  readonly minimap: boolean;
}

export const DEFAULT_DISPLAY: Display = {
  brightness: 1,
  contrast: 1,
  gamma: 1,
  invert: false,
  channel: "all",
  crosshair: false,
  minimap: false,
};

type Tone = "brightness" | "contrast" | "gamma" | "invert" | "channel";

const TONES: readonly Tone[] = ["brightness", "contrast", "gamma", "invert", "channel"];

/** The picture as it is; crosshair and minimap stay. */
export function withoutTones(display: Display): Display {
  const { brightness, contrast, gamma, invert, channel } = DEFAULT_DISPLAY;
  return { ...display, brightness, contrast, gamma, invert, channel };
}

export const hasTones = (display: Display): boolean =>
  TONES.some((tone) => display[tone] !== DEFAULT_DISPLAY[tone]);

/** What was kept, with whatever makes no sense left out. */
export function readDisplay(kept: unknown): Display {
  if (typeof kept !== "object" || kept === null) return DEFAULT_DISPLAY;
  const fit = (name: string, value: unknown): boolean => {
    const usual = DEFAULT_DISPLAY[name as keyof Display];
    if (name === "channel") return ["all", "red", "green", "blue"].includes(value as string);
    return typeof value === typeof usual && (typeof value !== "number" || (value >= 0 && value <= 4));
  };
  const known = Object.entries(kept).filter(([name, value]) => name in DEFAULT_DISPLAY && fit(name, value));
  return { ...DEFAULT_DISPLAY, ...Object.fromEntries(known) };
}

export interface Tones {
  /** Rows of red, green, blue, alpha and a constant, as `feColorMatrix` takes them. */
  readonly matrix: string;
  /** For each channel c between 0 and 1: amplitude * c ^ exponent + offset. */
  readonly amplitude: number;
  readonly exponent: number;
  readonly offset: number;
}

/** The filter for these settings: first the channel, then gamma, brightness, contrast, inversion. */
export function tonesOf({ brightness, contrast, gamma, invert, channel }: Display): Tones {
  const amplitude = brightness * contrast;
  const offset = 0.5 * (1 - contrast);
  const row = { all: null, red: "1 0 0 0 0", green: "0 1 0 0 0", blue: "0 0 1 0 0" }[channel];
  const rows = row ? [row, row, row] : ["1 0 0 0 0", "0 1 0 0 0", "0 0 1 0 0"];
  return {
    matrix: [...rows, "0 0 0 1 0"].join(" "),
    amplitude: invert ? -amplitude : amplitude,
    exponent: 1 / Math.max(gamma, 0.05),
    offset: invert ? 1 - offset : offset,
  };
}
