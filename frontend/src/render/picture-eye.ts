/**
 * An eye on the picture of an image, opened at its first question: on the tiles of a
 * large picture, else on the whole of it, decoded at its full resolution.
 */

import { Eye, WholeImage } from "../editor/sight";
import type { Decoded } from "../geometry/flood";
import type { SightPicture } from "./sight-protocol";
import { fetchTile, type TileLayout, type TilePlace } from "./tiled-picture";
import { TiledPixels } from "./tiled-pixels";

/** Decoded, a picture takes four bytes a pixel. */
const MOST_PIXELS = 64_000_000;

const DID_NOT_COME = "The picture did not come from the server. Try again.";

/** The pixels of a bitmap, drawn at this size; the bitmap is given back. */
export type Decode = (bitmap: ImageBitmap, width: number, height: number) => Decoded;

export class PictureEye {
  readonly #picture: SightPicture;
  readonly #decode: Decode;
  #eye: Promise<Eye> | null = null;

  constructor(picture: SightPicture, decode: Decode) {
    this.#picture = picture;
    this.#decode = decode;
  }

  /** What failed once may come the next time, so a failure is not kept. */
  open(): Promise<Eye> {
    if (this.#eye) return this.#eye;
    const eye = this.#opened();
    this.#eye = eye;
    eye.catch(() => (this.#eye = null));
    return eye;
  }

  async #opened(): Promise<Eye> {
    const { tiles, width, height } = this.#picture;
    const layout = tiles === null ? null : await layoutOf(tiles);
    // Tiles of another size than the record do not lie where the picture is seen.
    if (!layout || layout.width !== width || layout.height !== height) return new Eye(new WholeImage(await this.#whole()));
    const load = async (place: TilePlace): Promise<Decoded> => {
      const bitmap = await fetchTile(tiles!, layout, place).catch(() => null);
      if (!bitmap) throw new Error(DID_NOT_COME);
      return this.#decode(bitmap, bitmap.width, bitmap.height);
    };
    return new Eye(new TiledPixels({ layout, load }));
  }

  async #whole(): Promise<Decoded> {
    const { addresses, width, height } = this.#picture;
    if (width * height > MOST_PIXELS) {
      throw new Error(`The image has more than ${MOST_PIXELS / 1e6} megapixels, too many to look at without its tiles.`);
    }
    let reason = "The image cannot be shown, so there are no colours to follow.";
    for (const address of addresses) {
      const file = await fetched(address);
      if (file === "late") reason = DID_NOT_COME;
      // Null is a file that this browser cannot decode.
      const bitmap = file instanceof Blob ? await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null) : null;
      // A file of another size than the record fills the record's frame.
      if (bitmap) return this.#decode(bitmap, width, height);
    }
    throw new Error(reason);
  }
}

/** Null for a picture that has no tiles and gets none: it is looked at as a whole. */
async function layoutOf(address: string): Promise<TileLayout | null> {
  const response = await answerOf(address);
  if (response?.ok) return (await response.json()) as TileLayout;
  if (isLasting(response)) return null;
  throw new Error(DID_NOT_COME);
}

/** The file; null where there is none, and "late" where it may come another time. */
async function fetched(address: string): Promise<Blob | "late" | null> {
  const response = await answerOf(address);
  if (!response?.ok) return isLasting(response) ? null : "late";
  return response.blob().catch(() => "late" as const);
}

const answerOf = (address: string): Promise<Response | null> =>
  fetch(address, { credentials: "same-origin" }).catch(() => null);

/** Not found, or a file that is damaged: that will be the answer the next time, too. */
const isLasting = (response: Response | null): boolean => response?.status === 404 || response?.status === 422;
