import { expect, test } from "vitest";

import type { Answer, Ask } from "../../src/api/client";
import { Decisions } from "../../src/api/decisions";
import { SaveQueue } from "../../src/api/save-queue";
import type { Editor } from "../../src/editor/editor";
import { commandFor } from "../../src/editor/keys";
import { COMMANDS } from "../../src/editor/commands";
import type { Prediction } from "../../src/model/predictions";
import { EMPTY_ANNOTATION } from "../../src/model/records";
import { PERSON, Story } from "../story";

const KNOWN = {
  coco_id: 1,
  image_id: 1,
  category_id: PERSON.id,
  version: 1,
  task: "instances",
  segmentation: null,
  holes: [],
  bbox: [1, 2, 3, 4],
  area: 12,
  iscrowd: 0,
  keypoints: null,
  num_keypoints: null,
  attributes: {},
  score: 0.5,
  caption: null,
  created_by: 1,
  updated_by: 1,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};

const found = (id: number): Prediction => ({
  id,
  setId: 1,
  kind: "bbox",
  score: 0.5,
  shape: { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [1, 2, 3, 4] },
});

/** An editor with two predictions, and what it asks of the server. */
class Visit {
  readonly story: Story;
  readonly editor: Editor;
  readonly asked: string[] = [];
  readonly queue: SaveQueue;
  readonly decisions: Decisions;
  status = 0;
  code = "busy";

  constructor(readOnly = false) {
    this.story = new Story({ readOnly });
    this.editor = this.story.editor;
    const transport = (ask: Ask): Promise<Answer> => Promise.resolve(this.#answer(ask));
    this.queue = new SaveQueue({
      document: this.editor.document,
      imageId: 1,
      userId: 1,
      transport,
      store: { put: async () => {}, remove: async () => {}, list: async () => [], adopt: async () => {} },
      held: () => this.editor.history.open,
    });
    this.editor.signal.on(["settled"], () => this.queue.pump());
    this.decisions = new Decisions({ editor: this.editor, queue: this.queue, transport });
    this.editor.predictions.load([found(1), found(2)]);
  }

  #answer({ method, path, body }: Ask): Answer {
    this.asked.push(`${method} ${path}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`);
    if (this.status) return { status: this.status, body: { detail: "No.", code: this.code }, retryAfterSeconds: null };
    const id = 100 + Number(/\d+/.exec(path)?.[0]);
    const changed = { ...KNOWN, id, ...(body as object), version: method === "PATCH" ? 2 : 1 };
    return { status: 200, body: changed, retryAfterSeconds: null };
  }

  get open(): number[] {
    return this.editor.predictions.listed.map(({ id }) => id);
  }

  get drawn(): number {
    return [...this.editor.document.entries()].length;
  }

  async press(key: string): Promise<void> {
    commandFor([...this.decisions.commands, ...COMMANDS], key, this.editor)?.run(this.editor);
    await this.decisions.settled();
    await this.queue.settled();
  }
}

test("an accepted prediction becomes an annotation that is saved already", async () => {
  const visit = new Visit();
  visit.editor.predictions.select(1);
  await visit.press("Y");
  expect(visit.asked).toEqual(["POST /api/predictions/1/accept"]);
  expect([visit.open, visit.drawn, visit.queue.unsaved]).toEqual([[2], 1, 0]);
  expect(visit.editor.predictions.selected?.id).toBe(2);
  await visit.press("N");
  expect(visit.asked.at(-1)).toBe("POST /api/predictions/2/reject");
  expect([visit.open, visit.drawn]).toEqual([[], 1]);
});

test("keys decide about the selected prediction only, while it is shown, and not for viewers", async () => {
  const visit = new Visit();
  await visit.press("Y");
  visit.editor.predictions.select(1);
  visit.editor.predictions.toggle();
  await visit.press("N");
  const viewer = new Visit(true);
  viewer.editor.predictions.select(1);
  await viewer.press("Y");
  expect([visit.asked, viewer.asked]).toEqual([[], []]);
});

test("undo takes back decisions and edits in the order in which they were made", async () => {
  const visit = new Visit();
  visit.story.given({ bbox: [50, 50, 10, 10] });
  visit.editor.predictions.select(1);
  await visit.press("Y");
  visit.editor.predictions.select(2);
  await visit.press("N");
  const [, [key]] = [...visit.editor.document.entries()] as never as [unknown, [never]];
  visit.editor.edit("Change crowd", [key], (old) => ({ ...old, iscrowd: 1 }));
  await visit.queue.settled();
  await visit.press("Mod+Z");
  expect(visit.open).toEqual([]);
  expect(visit.editor.document.get(key)?.iscrowd).toBe(0);
  await visit.press("Mod+Z");
  expect([visit.open, visit.drawn]).toEqual([[2], 2]);
  await visit.press("Mod+Z");
  expect([visit.open, visit.drawn, visit.queue.unsaved]).toEqual([[1, 2], 1, 0]);
  expect(visit.asked.at(-1)).toBe("POST /api/predictions/1/reopen");
  await visit.press("Mod+Z");
  expect([visit.open, visit.drawn]).toEqual([[1, 2], 1]);
});

test("keys decide about nothing once an object is selected; what undo opens again is selected instead of it", async () => {
  const visit = new Visit();
  visit.story.given({ bbox: [50, 50, 10, 10] });
  const [[key]] = [...visit.editor.document.entries()] as never as [[never]];
  visit.editor.predictions.select(1);
  await visit.press("N");
  expect(visit.editor.predictions.selected?.id).toBe(2);
  visit.editor.select([key]);
  await visit.press("Y");
  await visit.press("N");
  expect(visit.asked).toEqual(["POST /api/predictions/1/reject"]);
  await visit.press("Mod+Z");
  expect(visit.editor.predictions.selected?.id).toBe(1);
  expect([...visit.editor.view.selection]).toEqual([]);
  await visit.press("Escape");
  await visit.press("Y");
  expect(visit.open).toEqual([1, 2]);
});

test("what the server refuses is open again, and said", async () => {
  const visit = new Visit();
  visit.status = 409;
  visit.editor.predictions.select(1);
  await visit.press("Y");
  expect([visit.open, visit.drawn]).toEqual([[1, 2], 0]);
  expect(visit.editor.notice).toBe("The prediction stays open. No.");
  expect(visit.decisions.undoable).toBe(false);
});

test.each([
  [404, "not_found"],
  [409, "prediction_accepted"],
  [409, "annotation_deleted"],
])("one that is gone or decided by somebody else (%i, %s) does not come back", async (status, code) => {
  const visit = new Visit();
  Object.assign(visit, { status, code });
  visit.editor.predictions.select(1);
  await visit.press("Y");
  visit.editor.predictions.select(2);
  visit.story.drag([4, 6], [40, 60]);
  await visit.decisions.settled();
  expect([visit.open, visit.drawn]).toEqual([[], 0]);
  expect(visit.editor.notice).toBe("The prediction is not open any more. No.");
  expect(visit.decisions.undoable).toBe(false);
});

test("all that are listed are accepted as one decision, and one undo opens them again", async () => {
  const visit = new Visit();
  visit.editor.predictions.load([found(1), found(2), { ...found(3), score: 0.1 }]);
  visit.decisions.commands.find(({ id }) => id === "accept-all-predictions")!.run(visit.editor);
  await visit.decisions.settled();
  expect([visit.open, visit.drawn]).toEqual([[], 2]);
  expect(visit.editor.predictions.count, "one has too low a score").toBe(1);
  await visit.press("Mod+Z");
  expect([visit.open, visit.drawn]).toEqual([[1, 2], 0]);
});

test("accepted to be edited, it is selected with its handles", async () => {
  const visit = new Visit();
  visit.story.key("B");
  visit.editor.predictions.select(1);
  await visit.press("Shift+Y");
  expect(visit.story.path).toBe("select.idle");
  const [key] = visit.story.selected;
  expect(visit.editor.document.get(key!)?.bbox).toEqual([1, 2, 3, 4]);
});

test("dragged on the image, it is accepted as it is then, in one request and with one undo", async () => {
  const visit = new Visit();
  visit.editor.predictions.select(1);
  visit.story.drag([4, 6], [40, 60]);
  await visit.decisions.settled();
  await visit.queue.settled();
  expect(visit.asked).toEqual(['POST /api/predictions/1/accept {"bbox":[1,2,39,58]}']);
  expect([visit.open, visit.drawn, visit.queue.unsaved]).toEqual([[2], 1, 0]);
  const [key] = visit.story.selected;
  expect(visit.editor.document.get(key!)).toMatchObject({ bbox: [1, 2, 39, 58], score: 0.5 });
  await visit.press("Mod+Z");
  expect([visit.open, visit.drawn]).toEqual([[1, 2], 0]);
  expect(visit.editor.predictions.selected?.shape.bbox).toEqual([1, 2, 3, 4]);
  visit.status = 409;
  visit.story.drag([4, 6], [40, 60]);
  await visit.decisions.settled();
  expect([visit.open, visit.drawn]).toEqual([[1, 2], 0]);
  expect(visit.editor.predictions.selected?.shape.bbox).toEqual([1, 2, 3, 4]);
});
