/**
 * How the image lies on the stage.
 *
 * `screen = image * scale + (x, y)`, with `scale` in CSS pixels per image
 * pixel. A camera is a value: every movement gives a new one.
 */

import type { Bounds } from "./bounds";
import { imagePoint, screenPoint, type ImagePoint, type ScreenPoint } from "./point";

export interface Camera {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Beyond this one sees nothing but single pixels. */
export const MAX_SCALE = 64;
export const MIN_SCALE = 0.01;

export function toScreen(camera: Camera, p: ImagePoint): ScreenPoint {
  return screenPoint(p.x * camera.scale + camera.x, p.y * camera.scale + camera.y);
}

export function toImage(camera: Camera, p: ScreenPoint): ImagePoint {
  return imagePoint((p.x - camera.x) / camera.scale, (p.y - camera.y) / camera.scale);
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { scale: camera.scale, x: camera.x + dx, y: camera.y + dy };
}

/** Zooms so that the image point under `at` stays under it. */
export function zoomAt(camera: Camera, at: ScreenPoint, factor: number): Camera {
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, camera.scale * factor));
  const ratio = scale / camera.scale;
  return { scale, x: at.x - (at.x - camera.x) * ratio, y: at.y - (at.y - camera.y) * ratio };
}

/** Shows the whole image in the middle of the stage, `padding` CSS pixels from its edges. */
export function fit(image: Size, stage: Size, padding = 24): Camera {
  const room = (side: number): number => Math.max(side - 2 * padding, side * 0.5, 1);
  const scale = Math.min(
    MAX_SCALE,
    room(stage.width) / Math.max(image.width, 1),
    room(stage.height) / Math.max(image.height, 1),
  );
  return {
    scale,
    x: (stage.width - image.width * scale) / 2,
    y: (stage.height - image.height * scale) / 2,
  };
}

/** The least extent on the screen of what is brought into view, in CSS pixels. */
const SEEN_CSS_PIXELS = 64;

/** Shows the bounds in the middle: at this scale, or at one at which they are seen and fit. */
export function around(bounds: Bounds, stage: Size, scale: number): Camera {
  const [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const fitting = 0.8 * Math.min(stage.width / Math.max(width, 1e-6), stage.height / Math.max(height, 1e-6));
  const seen = Math.max(scale, SEEN_CSS_PIXELS / Math.max(width, height, 1e-6));
  const wanted = Math.min(MAX_SCALE, Math.max(MIN_SCALE, Math.min(fitting, seen)));
  const [x, y] = [(bounds.left + bounds.right) / 2, (bounds.top + bounds.bottom) / 2];
  return { scale: wanted, x: stage.width / 2 - x * wanted, y: stage.height / 2 - y * wanted };
}

/** The part of the image that a stage of this size shows. */
export function visible(camera: Camera, stage: Size): Bounds {
  const topLeft = toImage(camera, screenPoint(0, 0));
  const bottomRight = toImage(camera, screenPoint(stage.width, stage.height));
  return { left: topLeft.x, top: topLeft.y, right: bottomRight.x, bottom: bottomRight.y };
}

/** Keeps the same image point in the middle when the stage changes its size. */
export function recentre(camera: Camera, from: Size, to: Size): Camera {
  return pan(camera, (to.width - from.width) / 2, (to.height - from.height) / 2);
}
