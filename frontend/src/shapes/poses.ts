/**
 * Keypoints of one annotation as a list of numbers, and layouts of whole poses.
 *
 * `numbers` are `[x, y, v, ...]` in the order of the category's names, as in COCO; an absent point
 * is three zeros. A layout says where in a box each point lies, as shares of width and height.
 */

import type { Bounds } from "../geometry/bounds";
import { imagePoint, type ImagePoint } from "../geometry/point";

/** 0 absent, 1 labelled but hidden, 2 visible. */
export type Visibility = 0 | 1 | 2;

export type Numbers = readonly number[];

/** Null for a point that the layout leaves absent. */
export type Layout = readonly (readonly [number, number] | null)[];

/** A standing person, facing the camera, by the names of COCO. */
// The mean of nine persons of COCO val2017 (at least 12 points, seen whole, boxes at least 1.6
// times as high as wide), each counted once more mirrored, rounded to hundredths.
const STANDING: Readonly<Record<string, readonly [number, number]>> = {
  nose: [0.5, 0.12],
  left_eye: [0.56, 0.1],
  right_eye: [0.44, 0.1],
  left_ear: [0.6, 0.11],
  right_ear: [0.4, 0.11],
  left_shoulder: [0.69, 0.22],
  right_shoulder: [0.31, 0.22],
  left_elbow: [0.76, 0.37],
  right_elbow: [0.24, 0.37],
  left_wrist: [0.68, 0.44],
  right_wrist: [0.32, 0.44],
  left_hip: [0.63, 0.49],
  right_hip: [0.37, 0.49],
  left_knee: [0.67, 0.66],
  right_knee: [0.33, 0.66],
  left_ankle: [0.63, 0.9],
  right_ankle: [0.37, 0.9],
};

export function visibilityOf(numbers: Numbers | null, index: number): Visibility {
  const v = numbers?.[3 * index + 2] ?? 0;
  return v === 1 || v === 2 ? v : 0;
}

export const pointOf = (numbers: Numbers, index: number): ImagePoint =>
  imagePoint(numbers[3 * index]!, numbers[3 * index + 1]!);

/** Whether any point is labelled. */
export const hasPoint = (numbers: Numbers | null): boolean =>
  numbers?.some((value, i) => i % 3 === 2 && value > 0) ?? false;

/** With one point set, out of `count`; those that nobody has placed yet are absent. */
export function withPoint(
  numbers: Numbers | null,
  count: number,
  index: number,
  at: ImagePoint,
  visibility: Visibility,
): Numbers {
  const changed = numbers?.slice() ?? new Array<number>(3 * count).fill(0);
  const { x, y } = visibility === 0 ? imagePoint(0, 0) : at;
  changed.splice(3 * index, 3, x, y, visibility);
  return changed;
}

/** The first absent point at or after `from`; null when there is none. */
export function nextAbsent(numbers: Numbers | null, count: number, from = 0): number | null {
  for (let i = from; i < count; i++) if (visibilityOf(numbers, i) === 0) return i;
  return null;
}

/** How the other side is called: `right_eye` for `left_eye`, `eye R` for `eye L`. */
function otherSide(name: string): string {
  const swap = (word: string): string => {
    const other = { left: "right", right: "left", l: "r", r: "l" }[word.toLowerCase()]!;
    if (word === word.toUpperCase()) return other.toUpperCase();
    return word[0] === word[0]!.toUpperCase() ? other[0]!.toUpperCase() + other.slice(1) : other;
  };
  if (/left|right/i.test(name)) return name.replace(/left|right/gi, swap);
  return name.replace(/(?<![^\s_.-])[lr](?![^\s_.-])/gi, swap);
}

/** For each name the place of its counterpart; its own where it has none. */
export function counterparts(names: readonly string[]): number[] {
  return names.map((name, i) => {
    const found = names.indexOf(otherSide(name));
    return found < 0 ? i : found;
  });
}

/** Left and right exchanged: each point gets the numbers of its counterpart. */
export function mirrored(numbers: Numbers, names: readonly string[]): Numbers {
  return counterparts(names).flatMap((i) => numbers.slice(3 * i, 3 * i + 3));
}

/** The layout of a pose that somebody has placed; null when it has no extent to scale. */
export function layoutOf(numbers: Numbers, { left, top, right, bottom }: Bounds): Layout | null {
  if (right <= left || bottom <= top) return null;
  return Array.from({ length: Math.floor(numbers.length / 3) }, (_, i) => {
    if (visibilityOf(numbers, i) === 0) return null;
    const { x, y } = pointOf(numbers, i);
    return [(x - left) / (right - left), (y - top) / (bottom - top)] as const;
  });
}

/** A standing person where the names are COCO's; null for any other names. */
export function standing(names: readonly string[]): Layout | null {
  const found = names.map((name) => STANDING[name.toLowerCase().replaceAll(" ", "_")]);
  return names.length > 0 && found.every((share) => share !== undefined) ? found : null;
}

/** What is fixed in `suggested`, as shares of the box. */
const MARGIN = 0.08;
const SIDES = { left: 0.72, middle: 0.5, right: 0.28 } as const;

/**
 * A layout for names that nobody has one of: from the first point along the skeleton downwards, what
 * is called left on the right of the image and the other way round. Without a skeleton, an ellipse.
 */
export function suggested(names: readonly string[], skeleton: readonly (readonly [number, number])[]): Layout {
  if (skeleton.length === 0) return around(names);
  const depths = depthsOf(names.length, skeleton);
  const deepest = Math.max(1, ...depths);
  const rows = new Map<string, number[]>();
  names.forEach((name, i) => {
    const row = `${depths[i]!} ${sideOf(name)}`;
    rows.set(row, [...(rows.get(row) ?? []), i]);
  });
  return names.map((name, i) => {
    const side = sideOf(name);
    const row = rows.get(`${depths[i]!} ${side}`)!;
    // Several of one side and depth stand beside each other.
    const width = side === "middle" ? 0.3 : 0.2;
    const beside = row.length === 1 ? 0 : width * (row.indexOf(i) / (row.length - 1) - 0.5);
    return [SIDES[side] + beside, MARGIN + (1 - 2 * MARGIN) * (depths[i]! / deepest)] as const;
  });
}

function sideOf(name: string): keyof typeof SIDES {
  if (otherSide(name) === name) return "middle";
  return /left/i.test(name) || /(?<![^\s_.-])l(?![^\s_.-])/i.test(name) ? "left" : "right";
}

/** How many limbs each point is away from the first one; what hangs together with it not, from the top again. */
function depthsOf(count: number, skeleton: readonly (readonly [number, number])[]): number[] {
  const depths = new Array<number>(count).fill(-1);
  for (let start = 0; start < count; start++) {
    if (depths[start]! >= 0) continue;
    depths[start] = 0;
    const open = [start];
    for (let at = open.shift(); at !== undefined; at = open.shift()) {
      for (const [a, b] of skeleton) {
        const next = a - 1 === at ? b - 1 : b - 1 === at ? a - 1 : -1;
        if (next < 0 || next >= count || depths[next]! >= 0) continue;
        depths[next] = depths[at]! + 1;
        open.push(next);
      }
    }
  }
  return depths;
}

/** All points on an ellipse, clockwise from the top, for names that say nothing. */
const around = (names: readonly string[]): Layout =>
  names.map((_, i) => {
    const angle = (2 * Math.PI * i) / names.length - Math.PI / 2;
    return [0.5 + 0.4 * Math.cos(angle), 0.5 + 0.4 * Math.sin(angle)];
  });

/** The layout in these bounds, all of its points visible, in hundredths of a pixel. */
export function scaled(layout: Layout, { left, top, right, bottom }: Bounds): Numbers {
  const hundredths = (value: number): number => Math.round(value * 100) / 100;
  return layout.flatMap((share) =>
    share
      ? [hundredths(left + share[0] * (right - left)), hundredths(top + share[1] * (bottom - top)), 2]
      : [0, 0, 0],
  );
}
