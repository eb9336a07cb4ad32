import { expect, test } from "vitest";

import { csrfToken, fetchTransport, listAll, problemOf, RequestError } from "../../src/api/client";
import { changeBody, createBody, read, readAnswer, write, type WireAnnotation } from "../../src/api/wire";
import { EMPTY_ANNOTATION } from "../../src/model/records";

interface Sent {
  path: string;
  init: RequestInit;
}

function recording(...answers: (Response | Error)[]) {
  const sent: Sent[] = [];
  const send = ((path: string, init: RequestInit) => {
    sent.push({ path, init });
    const answer = answers.shift()!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }) as typeof fetch;
  return { sent, transport: fetchTransport(send, () => "a=1; maskwright_csrf=to%3Dken; b=2") };
}

test("writing requests carry the CSRF token and the version", async () => {
  const { sent, transport } = recording(Response.json({ ok: 1 }));
  await transport({ method: "PATCH", path: "/api/annotations/1", body: { a: 1 }, version: 4 });
  expect(sent[0]!.init).toMatchObject({
    method: "PATCH",
    body: '{"a":1}',
    headers: { "X-CSRF-Token": "to=ken", "If-Match": '"4"', "Content-Type": "application/json" },
  });
});

test("reading requests carry neither", async () => {
  const { sent, transport } = recording(Response.json({ ok: 1 }));
  await transport({ method: "GET", path: "/api/images/1" });
  expect(sent[0]!.init.headers).toEqual({ Accept: "application/json" });
});

test.each([
  ["nothing", new TypeError("offline"), 0],
  ["the page of a hotel's network", new Response("<html>Sign in to our network"), 0],
  ["a proxy's error page", new Response("<html>", { status: 502 }), 502],
  ["a deletion's empty body", new Response(null, { status: 204 }), 204],
])("%s is no data", async (_, answer, status) => {
  const { transport } = recording(answer);
  expect(await transport({ method: "GET", path: "/" })).toMatchObject({ status, body: null });
});

test("the token is found among cookies, or is empty", () => {
  expect(csrfToken("maskwright_csrf=x")).toBe("x");
  expect(csrfToken("other_maskwright_csrf=x")).toBe("");
});

test("a list is read to its last page", async () => {
  const { sent, transport } = recording(
    Response.json({ items: [1, 2], next_cursor: "n=2" }),
    Response.json({ items: [3], next_cursor: null }),
  );
  expect(await listAll(transport, "/api/images/{image_id}/annotations", 7)).toEqual([1, 2, 3]);
  const path = "/api/images/7/annotations?limit=500";
  expect(sent.map((request) => request.path)).toEqual([path, `${path}&cursor=n%3D2`]);
});

test("a failing page throws its problem", async () => {
  const problem = { detail: "There is no such image.", code: "not_found" };
  const { transport } = recording(Response.json(problem, { status: 404 }));
  await expect(listAll(transport, "/api/images/{image_id}/annotations", 7)).rejects.toThrow(RequestError);
  expect(problemOf({ status: 404, body: problem, retryAfterSeconds: null })).toMatchObject({ ...problem, status: 404 });
});

const WIRE: WireAnnotation = {
  ...EMPTY_ANNOTATION,
  id: 3,
  coco_id: 900100258541,
  image_id: 5,
  version: 2,
  task: "instances",
  category_id: 1,
  segmentation: [[1.5, 2, 3, 4, 5, 6.25]],
  bbox: [1.5, 2, 3.5, 4.25],
  area: 7,
  num_keypoints: null,
      other_keys: [],
      client_key: null,
  created_by: 1,
  updated_by: 1,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};

test("the box beside a segmentation is a fact; alone it is the annotation's own", () => {
  expect(read(WIRE).annotation.bbox).toBeNull();
  expect(read(WIRE).facts.bbox).toEqual([1.5, 2, 3.5, 4.25]);
  expect(read({ ...WIRE, segmentation: null }).annotation.bbox).toEqual([1.5, 2, 3.5, 4.25]);
  expect(read({ ...WIRE, segmentation: [] }).annotation.bbox).toEqual([1.5, 2, 3.5, 4.25]);
});

test("a box that is not the extent of the segmentation is the annotation's own, and rounding is none", () => {
  expect(read({ ...WIRE, bbox: [1, 1.5, 4, 5] }).annotation.bbox).toBeNull();
  expect(read({ ...WIRE, bbox: [0, 2, 5, 4.25] }).annotation.bbox).toEqual([0, 2, 5, 4.25]);
  const mask = { size: [10, 10], counts: [22, 3, 75] };
  expect(read({ ...WIRE, segmentation: mask, bbox: [2, 2, 1, 3] }).annotation.bbox).toBeNull();
  expect(read({ ...WIRE, segmentation: mask, bbox: [2, 2, 5, 3] }).annotation.bbox).toEqual([2, 2, 5, 3]);
  // Of a mask that cannot be read nobody knows the extent.
  expect(read({ ...WIRE, segmentation: { ...mask, counts: [7] }, bbox: [2, 2, 5, 3] }).annotation.bbox).toBeNull();
});

test("a caption's zero box is no box", () => {
  const caption = { ...WIRE, segmentation: null, bbox: [0, 0, 0, 0], caption: "Hi" };
  expect(read(caption).annotation.bbox).toBeNull();
});

test("a label has no box, and is made anew as a label", () => {
  const { annotation } = read({ ...WIRE, segmentation: null, bbox: [0, 0, 0, 0], task: "labels" });
  expect(annotation.bbox).toBeNull();
  expect(createBody(annotation)).toEqual({ category_id: 1, task: "labels" });
  const caption = { ...EMPTY_ANNOTATION, caption: "Hi" };
  expect(createBody(caption)).toEqual({ caption: "Hi", iscrowd: 0 });
});

test("of attributes only those that changed are sent, and null for those that are gone", () => {
  const from = { ...EMPTY_ANNOTATION, attributes: { id: 12345678901234567890, a: 1, b: [2], none: null } };
  const change = (attributes: Record<string, unknown>): object => changeBody(from, { ...from, attributes });
  expect(change({ ...from.attributes, a: 2 })).toEqual({ attributes_patch: { a: 2 } });
  expect(change({ id: from.attributes.id, none: null, new: { c: null } })).toEqual({
    attributes_patch: { a: null, b: null, new: { c: null } },
  });
  expect(change({ ...from.attributes })).toEqual({});
  // What becomes null itself is told apart from what is gone.
  expect(change({ ...from.attributes, a: null })).toEqual({ attributes_null: ["a"] });
  expect(change({ id: from.attributes.id, a: null, b: 3, none: null })).toEqual({
    attributes_patch: { b: 3 },
    attributes_null: ["a"],
  });
});

test("what was read is shown again as it came", () => {
  const { annotation, facts } = read(WIRE);
  expect(write(annotation, facts, 5)).toEqual(WIRE);
});

test("a new annotation names only what it has", () => {
  const box = { ...EMPTY_ANNOTATION, category_id: 1, bbox: [1, 2, 3, 4] as const };
  expect(createBody(box)).toEqual({ category_id: 1, bbox: [1, 2, 3, 4], iscrowd: 0 });
});

test("a change names only what differs", () => {
  const { annotation } = read(WIRE);
  expect(changeBody(annotation, { ...annotation, iscrowd: 1 })).toEqual({ iscrowd: 1 });
  expect(changeBody(annotation, { ...annotation, segmentation: structuredClone(annotation.segmentation) })).toEqual({});
});

test("a shape that comes back as it was sent is the one that was sent, of which everything is known", () => {
  const sent = { ...EMPTY_ANNOTATION, segmentation: { size: [10, 10] as const, counts: "f035i1" } };
  const wire = { ...WIRE, segmentation: { size: [10, 10], counts: "f035i1" }, bbox: [2, 2, 1, 3] };
  expect(readAnswer(wire, sent).annotation.segmentation).toBe(sent.segmentation);
  expect(readAnswer(wire, { ...sent, segmentation: null }).annotation.segmentation).toEqual(sent.segmentation);
  expect(readAnswer({ ...wire, segmentation: { size: [10, 10], counts: "f032l1" } }, sent).annotation.segmentation).not.toBe(sent.segmentation);
});
