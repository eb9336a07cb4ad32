/** How numbers, times and states are written in the panels. */

import type { SaveQueue } from "../api/save-queue";
import { plural } from "../shapes/shape";
import type { ImageStatus } from "../model/records";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** Shorter names have room nearly everywhere. */
const LONG_NAME = 20;
const NAME_END = 8;

export const grouped = (value: number): string => number.format(value);

export const areaText = (area: number): string => `${grouped(area)} px`;

export const boxText = (box: readonly number[]): string =>
  box.map((value) => String(Math.round(value * 10) / 10)).join(", ");

/** `2 s ago`, `5 min ago`, or the date. */
export function ago(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 24 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(time).toLocaleDateString("en", { dateStyle: "medium" });
}

export const STATUS_LABELS: Readonly<Record<ImageStatus, string>> = {
  new: "New",
  in_progress: "In progress",
  done: "Done",
  empty: "Nothing here",
};

export function saveText({ status, unsaved, conflicts, refused }: SaveQueue): string {
  const texts = {
    saved: "Saved",
    saving: "Saving",
    offline: `Offline, ${unsaved} waiting`,
    "signed-out": unsaved > 0 ? `Signed out, ${unsaved} waiting` : "Signed out",
    gone: unsaved > 0 ? `${unsaved} not saved` : "Cannot be saved",
    conflict: plural(conflicts.length, "conflict"),
    refused: `${refused.size} not saved`,
  };
  return texts[status];
}

/** Letters written from right to left, as in Hebrew and Arabic: two parts beside each other would change places. */
const FROM_THE_RIGHT = /[\u0590-\u08ff\ufb1d-\ufefc]/;

/** A long name in two parts: of the first the end may be cut, for in the second it differs from others. */
export function ends(name: string): readonly [string, string] {
  return name.length > LONG_NAME && !FROM_THE_RIGHT.test(name) ? [name.slice(0, -NAME_END), name.slice(-NAME_END)] : [name, ""];
}

export function initials({ name, email }: { name: string; email: string }): string {
  const words = (name.trim() || email.split("@")[0]!).split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? words[0]![0]! + words.at(-1)![0]! : (words[0] ?? "?").slice(0, 2);
  return letters.toUpperCase();
}

/** Black or white, whichever can be read better on a colour such as `#4f8cff`. */
export function onColor(color: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // Where both have the same contrast by the formula of WCAG 2.
  return light > 0.179 ? "#000000" : "#ffffff";
}
