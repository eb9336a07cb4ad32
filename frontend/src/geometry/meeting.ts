/** Whether two rings have anything in common: a part of their insides, an edge or a point. */

import { boundsOfNumbers, type Bounds } from "./bounds";
import { insideRing, vertex, type Ring } from "./ring";

export function ringsMeet(a: Ring, b: Ring): boolean {
  const common = intersection(boundsOfNumbers(a), boundsOfNumbers(b));
  if (!common) return false;
  return insideRing(a, vertex(b, 0)) || insideRing(b, vertex(a, 0)) || edgesMeet(a, b, common);
}

function intersection(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (!a || !b) return null;
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  const right = Math.min(a.right, b.right);
  const bottom = Math.min(a.bottom, b.bottom);
  return left <= right && top <= bottom ? { left, top, right, bottom } : null;
}

type Edge = readonly [number, number, number, number];

/** Only edges that reach into the common extent can meet, which are few where rings only touch. */
function edgesMeet(a: Ring, b: Ring, common: Bounds): boolean {
  const near = edgesWithin(b, common);
  return near.length > 0 && edgesWithin(a, common).some((edge) => near.some((other) => cross(edge, other)));
}

function edgesWithin(ring: Ring, { left, top, right, bottom }: Bounds): Edge[] {
  const edges: Edge[] = [];
  for (let i = 0, j = ring.length - 2; i + 1 < ring.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!];
    if (Math.max(ax, bx) < left || Math.min(ax, bx) > right) continue;
    if (Math.max(ay, by) < top || Math.min(ay, by) > bottom) continue;
    edges.push([ax, ay, bx, by]);
  }
  return edges;
}

function cross([ax, ay, bx, by]: Edge, [cx, cy, dx, dy]: Edge): boolean {
  if (Math.max(ax, bx) < Math.min(cx, dx) || Math.max(cx, dx) < Math.min(ax, bx)) return false;
  if (Math.max(ay, by) < Math.min(cy, dy) || Math.max(cy, dy) < Math.min(ay, by)) return false;
  const side = (px: number, py: number, qx: number, qy: number, x: number, y: number): number =>
    Math.sign((qx - px) * (y - py) - (qy - py) * (x - px));
  return (
    side(ax, ay, bx, by, cx, cy) * side(ax, ay, bx, by, dx, dy) <= 0 &&
    side(cx, cy, dx, dy, ax, ay) * side(cx, cy, dx, dy, bx, by) <= 0
  );
}
