/**
 * An eye on the picture of an image, opened at its first question: on the whole of it, decoded at its
 * full resolution, whose colours are exactly those of the file; on the tiles, which are near them, where
 * it is too large for that or no file that a browser decodes.
 */

import { Eye, WholeImage, type Pixels } from "../editor/sight";
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
    const [file, ...substitutes] = this.#picture.addresses;
    const pixels =
      (await this.#whole(file)) ?? (await this.#tiled()) ?? (await this.#whole(...substitutes));
    if (pixels) return new Eye(pixels);
    throw new Error(
      this.#isHuge
        ? `The image has more than ${MOST_PIXELS / 1e6} megapixels, too many to look at without its tiles.`
        : "The image cannot be shown, so there are no colours to follow.",
    );
  }

  get #isHuge(): boolean {
    return this.#picture.width * this.#picture.height > MOST_PIXELS;
  }

  /** Null for a picture that is too large to be decoded, or that this browser cannot decode. */
  async #whole(...addresses: readonly (string | undefined)[]): Promise<Pixels | null> {
    if (this.#isHuge) return null;
    const { width, height } = this.#picture;
    for (const address of addresses) {
      const file = address === undefined ? null : await fetched(address);
      const bitmap = file && (await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null));
      // A file of another size than the record fills the record's frame.
      if (bitmap) return new WholeImage(this.#decode(bitmap, width, height));
    }
    return null;
  }

  /** Null for a picture that has no tiles. */
  async #tiled(): Promise<Pixels | null> {
    const { tiles, width, height } = this.#picture;
    const layout = tiles === null ? null : await layoutOf(tiles);
    // Tiles of another size than the record do not lie where the picture is seen.
    if (!layout || layout.width !== width || layout.height !== height) return null;
    const load = async (place: TilePlace): Promise<Decoded> => {
      const bitmap = await fetchTile(tiles!, layout, place).catch(() => null);
      if (!bitmap) throw new Error(DID_NOT_COME);
      return this.#decode(bitmap, bitmap.width, bitmap.height);
    };
    return new TiledPixels({ layout, load });
  }
}

/** Null for a picture that has no tiles and gets none. */
async function layoutOf(address: string): Promise<TileLayout | null> {
  const response = await answerOf(address);
  if (response?.ok) return (await response.json()) as TileLayout;
  if (isLasting(response)) return null;
  throw new Error(DID_NOT_COME);
}

/** Null where there is no file; one that may come another time is waited for, as others are only like it. */
async function fetched(address: string): Promise<Blob | null> {
  const response = await answerOf(address);
  const file = response?.ok ? await response.blob().catch(() => null) : null;
  if (file || isLasting(response)) return file;
  throw new Error(DID_NOT_COME);
}

const answerOf = (address: string): Promise<Response | null> =>
  fetch(address, { credentials: "same-origin" }).catch(() => null);

/** Not found, or a file that is damaged: that will be the answer the next time, too. */
const isLasting = (response: Response | null): boolean => response?.status === 404 || response?.status === 422;
