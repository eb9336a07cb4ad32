import fc from "fast-check";
import { describe, expect, it } from "vitest";

import * as skeletons from "../../src/pages/skeleton";
import type { Edge, Skeleton } from "../../src/pages/skeleton";

const chain: Skeleton = { names: ["a", "b", "c"], edges: [[1, 2], [2, 3]] };

/** The edges by name: what must stay the same however the names are ordered. */
function joined({ names, edges }: Skeleton): string[] {
  return edges.map(([a, b]) => [names[a - 1], names[b - 1]].sort().join("-")).sort();
}

const anySkeleton: fc.Arbitrary<Skeleton> = fc
  .uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 12 })
  .chain((names) => {
    const end = fc.integer({ min: 1, max: names.length });
    const edge = fc.tuple(end, end).filter(([a, b]) => a !== b);
    return fc.array(edge, { maxLength: 20 }).map((edges) => ({ names, edges: edges as Edge[] }));
  });

describe("the skeleton of a category", () => {
  it("keeps its edges between the same names when keypoints move", () => {
    fc.assert(
      fc.property(anySkeleton, fc.nat(), fc.constantFrom<1 | -1>(1, -1), (skeleton, at, by) => {
        const moved = skeletons.move(skeleton, at % skeleton.names.length, by);
        expect(joined(moved)).toEqual(joined(skeleton));
        expect([...moved.names].sort()).toEqual([...skeleton.names].sort());
      }),
    );
  });

  it("loses a removed keypoint's edges and no other", () => {
    expect(skeletons.remove(chain, 0)).toEqual({ names: ["b", "c"], edges: [[1, 2]] });
    expect(skeletons.remove(chain, 1)).toEqual({ names: ["a", "c"], edges: [] });
    fc.assert(
      fc.property(anySkeleton, fc.nat(), (skeleton, at) => {
        const index = at % skeleton.names.length;
        const left = skeletons.remove(skeleton, index);
        const kept = skeleton.edges.filter((edge) => !edge.includes(index + 1));
        expect(joined(left)).toEqual(joined({ names: skeleton.names, edges: kept }));
      }),
    );
  });

  it("joins two keypoints and parts them again, whichever way round", () => {
    const closed = skeletons.toggleEdge(chain, 3, 1);
    expect(closed.edges).toEqual([[1, 2], [2, 3], [3, 1]]);
    expect(skeletons.toggleEdge(closed, 1, 3)).toEqual(chain);
    expect(skeletons.toggleEdge(chain, 2, 2)).toBe(chain);
  });

  it("takes new names once and leaves empty ones out", () => {
    expect(skeletons.add(chain, [" d ", "a", "", "d"]).names).toEqual(["a", "b", "c", "d"]);
  });

  it("reads pasted lists", () => {
    expect(skeletons.namesIn('"left eye", nose\n\n tail;\tear ')).toEqual(["left eye", "nose", "tail", "ear"]);
    expect(skeletons.namesIn("one name")).toEqual(["one name"]);
  });

  it("has COCO's person, whose picture stands upright", () => {
    const { names, edges } = skeletons.PERSON;
    expect(names).toHaveLength(17);
    expect(edges.flat().every((end) => end >= 1 && end <= 17)).toBe(true);
    const places = skeletons.places(names);
    expect(places[0]![1]).toBeLessThan(places[15]![1]);
    expect(places.every(([x, y]) => x > 0 && x < 240 && y > 0 && y < 240)).toBe(true);
  });
});
