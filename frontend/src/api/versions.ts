/** The earlier versions of an annotation, as the editor's annotations. */

import type { Annotation } from "../model/records";
import { get, type Transport } from "./client";
import { read } from "./wire";

export interface KnownVersion {
  readonly number: number;
  /** Null in a version that says that it was deleted. */
  readonly annotation: Annotation | null;
  readonly author: string | null;
  readonly at: string | null;
}

/** As many as anybody looks through. */
const MOST_VERSIONS = "100";

/** The newest first. Throws a RequestError when they do not come. */
export async function loadVersions(transport: Transport, id: number): Promise<KnownVersion[]> {
  const route = "/api/annotations/{annotation_id}/history";
  const { items } = await get(transport, route, id, { limit: MOST_VERSIONS });
  return items.map((item) => ({
    number: item.version,
    annotation: item.deleted ? null : read(item).annotation,
    author: item.author ? item.author.name || item.author.email : null,
    at: item.updated_at,
  }));
}
