import { findAll } from "./dom";

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 7],
];

/** `3 minutes ago` for the last week, the date before that. */
export function ago(then: Date, now: Date): string {
  let amount = (then.getTime() - now.getTime()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return AGO.format(Math.round(amount), unit);
    amount /= size;
  }
  return DATE.format(then);
}

/** Write the moments of a page, which came in UTC, in the reader's own terms. */
export function localTimes(root: ParentNode): void {
  const now = new Date();
  for (const element of findAll<HTMLTimeElement>(root, "time[datetime]")) {
    const then = new Date(element.dateTime);
    if (Number.isNaN(then.getTime())) continue;
    element.textContent = ago(then, now);
    element.title = FULL.format(then);
  }
}
