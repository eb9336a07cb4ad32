/** The fields of the selection: what several annotations share, and typed text as values. */

import type { Box } from "../geometry/bounds";
import type { Annotation, Category } from "../model/records";
import { sameValue } from "../model/records";

/** Stands for values that differ. */
export const SEVERAL = Symbol("several");

/** The value that all have, or SEVERAL. `of` gives undefined where there is none. */
export function shared<T>(annotations: readonly Annotation[], of: (annotation: Annotation) => T): T | typeof SEVERAL {
  const first = of(annotations[0]!);
  return annotations.every((each) => sameValue(of(each), first)) ? first : SEVERAL;
}

/** The names of all attributes, in the order in which they are met. */
export function attributeNames(annotations: readonly Annotation[]): string[] {
  return [...new Set(annotations.flatMap(({ attributes }) => Object.keys(attributes)))];
}

/**
 * What a person types as an attribute: JSON where it is (`true`, `12`, `null`,
 * `[1, 2]`), else the text as it stands. A text that would be JSON is put in quotes.
 */
export function typedValue(text: string): unknown {
  const trimmed = text.trim();
  try {
    return JSON.parse(trimmed);
  } catch {
    return text;
  }
}

/** The text that `typedValue` reads back as this very value. */
export function valueText(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return sameValue(typedValue(value), value) ? value : JSON.stringify(value);
}

/** Null where the attribute is the same already. */
export function withAttribute(annotation: Annotation, name: string, value: unknown): Annotation | null {
  const { attributes } = annotation;
  if (name in attributes && sameValue(attributes[name], value)) return null;
  return { ...annotation, attributes: { ...attributes, [name]: value } };
}

export function withoutAttribute(annotation: Annotation, name: string): Annotation | null {
  if (!(name in annotation.attributes)) return null;
  const others = Object.entries(annotation.attributes).filter(([other]) => other !== name);
  return { ...annotation, attributes: Object.fromEntries(others) };
}

/** What was written stands as it is; a computed side may have digits that nobody wrote: 128.10000000000002. */
export const sideText = (value: number, written: boolean): string =>
  String(written ? value : Number(value.toFixed(3)));

/** Many people write 0,5 for 0.5. NaN for what is no number. */
function typedNumber(text: string): number {
  const isThousands = /^\s*[+-]?[1-9]\d{0,2},\d{3}\s*$/.test(text);
  return Number(/^[^.,]*,[^.,]*$/.test(text) && !isThousands ? text.replace(",", ".") : text);
}

/** One number of a box that was typed; null when it is none, or would leave no extent. */
export function boxWith(box: Box, place: number, text: string): Box | null {
  const value = typedNumber(text);
  if (text.trim() === "" || !Number.isFinite(value)) return null;
  if (place >= 2 && value <= 0) return null;
  return box.map((old, i) => (i === place ? value : old)) as readonly number[] as Box;
}

/** A score that was typed: a number, null for none, undefined for what is neither. */
export function typedScore(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  const value = typedNumber(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The category that was typed: its whole name, else the only one that begins with it or has it. */
export function categoryNamed(categories: readonly Category[], text: string): Category | null {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return null;
  const names = categories.map((category) => ({ category, name: category.name.toLowerCase() }));
  const whole = names.find(({ name }) => name === wanted);
  const begin = names.filter(({ name }) => name.startsWith(wanted));
  const within = names.filter(({ name }) => name.includes(wanted));
  const found = whole ?? (begin.length === 1 ? begin[0] : undefined) ?? (within.length === 1 ? within[0] : undefined);
  return found?.category ?? null;
}
