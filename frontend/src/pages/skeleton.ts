/**
 * The keypoints of a category and the edges between them, while somebody edits
 * them. COCO counts keypoints from 1 in `skeleton`; here, too, so that an edge
 * means the same everywhere.
 */
export type Edge = readonly [number, number];

export interface Skeleton {
  readonly names: readonly string[];
  readonly edges: readonly Edge[];
}

export const EMPTY: Skeleton = { names: [], edges: [] };

/** The keypoints of persons in COCO's own files. */
export const PERSON: Skeleton = {
  names: [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
    "right_knee", "left_ankle", "right_ankle",
  ],
  edges: [
    [16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9],
    [8, 10], [9, 11], [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7],
  ],
};

/** Where the person's keypoints stand in a picture of 240 by 240, seen from the front. */
const PERSON_PLACES: readonly (readonly [number, number])[] = [
  [120, 44], [134, 26], [106, 26], [154, 36], [86, 36], [150, 72], [90, 72], [168, 108], [72, 108],
  [178, 144], [62, 144], [140, 138], [100, 138], [144, 180], [96, 180], [146, 222], [94, 222],
];

/** Add keypoints at the end; names that are there already, or empty, are left out. */
export function add(skeleton: Skeleton, names: readonly string[]): Skeleton {
  const known = new Set(skeleton.names);
  const fresh: string[] = [];
  for (const name of names.map((each) => each.trim())) {
    if (name === "" || known.has(name)) continue;
    known.add(name);
    fresh.push(name);
  }
  return { ...skeleton, names: [...skeleton.names, ...fresh] };
}

export function rename(skeleton: Skeleton, index: number, name: string): Skeleton {
  return { ...skeleton, names: skeleton.names.with(index, name) };
}

/** Swap a keypoint with its neighbour; the edges follow the names. */
export function move(skeleton: Skeleton, index: number, by: 1 | -1): Skeleton {
  const other = index + by;
  if (other < 0 || other >= skeleton.names.length) return skeleton;
  const names = skeleton.names.with(index, skeleton.names[other]!).with(other, skeleton.names[index]!);
  const follow = (end: number): number => {
    if (end === index + 1) return other + 1;
    return end === other + 1 ? index + 1 : end;
  };
  return { names, edges: skeleton.edges.map(([a, b]) => [follow(a), follow(b)]) };
}

/** Take a keypoint out, with its edges. */
export function remove(skeleton: Skeleton, index: number): Skeleton {
  const gone = index + 1;
  const follow = (end: number): number => (end > gone ? end - 1 : end);
  return {
    names: skeleton.names.toSpliced(index, 1),
    edges: skeleton.edges
      .filter(([a, b]) => a !== gone && b !== gone)
      .map(([a, b]) => [follow(a), follow(b)]),
  };
}

/** Join two keypoints, or part them when they are joined, whichever way round. */
export function toggleEdge(skeleton: Skeleton, a: number, b: number): Skeleton {
  if (a === b) return skeleton;
  const without = skeleton.edges.filter(
    ([c, d]) => !((c === a && d === b) || (c === b && d === a)),
  );
  const joined = without.length < skeleton.edges.length;
  return { ...skeleton, edges: joined ? without : [...skeleton.edges, [a, b]] };
}

/** What a pasted text names: by lines, commas, semicolons or tabs. */
export function namesIn(text: string): string[] {
  return text
    .split(/[\n\r,;\t]+/)
    .map((name) => name.trim().replace(/^["']|["']$/g, ""))
    .filter((name) => name !== "");
}

/** Where each keypoint stands in the preview: a person as a person, others on a circle. */
export function places(names: readonly string[]): (readonly [number, number])[] {
  const person = PERSON.names.every((name, index) => names[index] === name);
  return names.map((_, index) => {
    const known = person ? PERSON_PLACES[index] : undefined;
    if (known !== undefined) return known;
    const angle = (2 * Math.PI * index) / names.length - Math.PI / 2;
    return [120 + 92 * Math.cos(angle), 120 + 92 * Math.sin(angle)] as const;
  });
}
