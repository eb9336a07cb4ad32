/** The outline of the brush, which is the cursor while one paints. */

import type { Tip } from "../editor/hand";
import { toScreen } from "../geometry/camera";
import type { Frame } from "./layer";

/** Below this the browser's own cross is shown instead. */
const SMALLEST_CSS_PIXELS = 3;

/** White on black is seen on every image. */
const STROKES = [
  ["rgb(0 0 0 / 65%)", 3],
  ["#ffffff", 1.25],
] as const;

export function drawTip(context: CanvasRenderingContext2D, { at, radius, square }: Tip, { camera }: Frame): void {
  const { x, y } = toScreen(camera, at);
  const around = radius * camera.scale;
  if (around < SMALLEST_CSS_PIXELS) return;
  context.beginPath();
  if (square) context.rect(x - around, y - around, 2 * around, 2 * around);
  else context.arc(x, y, around, 0, 2 * Math.PI);
  for (const [color, width] of STROKES) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke();
  }
}
