/** What a visit to an image begins with. */

import { get, listAll, listRest, type Schemas, type Transport } from "./client";
import { read, type Known } from "./wire";

export type Neighbours = Schemas["NeighboursOut"];

export interface Visit {
  readonly image: Schemas["ImageOut"];
  readonly annotations: readonly Known[];
  readonly neighbours: Neighbours | null;
}

/** In one answer, as far as that goes. Throws a RequestError when the image does not come. */
export async function loadVisit(
  transport: Transport,
  imageId: number,
  query: string,
  signal?: AbortSignal,
): Promise<Visit> {
  const visit = await get(transport, "/api/images/{image_id}/visit", imageId, query, signal);
  const { image, neighbours, annotations } = visit;
  const { next_cursor: cursor } = annotations;
  const rest = await listRest(transport, "/api/images/{image_id}/annotations", imageId, cursor, signal);
  return { image, neighbours, annotations: [...annotations.items, ...rest].map(read) };
}

export async function loadAnnotations(transport: Transport, imageId: number): Promise<Known[]> {
  return (await listAll(transport, "/api/images/{image_id}/annotations", imageId)).map(read);
}

export async function loadNeighbours(
  transport: Transport,
  imageId: number,
  query: string,
): Promise<Neighbours | null> {
  return get(transport, "/api/images/{image_id}/neighbours", imageId, query).catch(() => null);
}
