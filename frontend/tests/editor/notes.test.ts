import { expect, test } from "vitest";

import { addCaption, captionsOf, editCaption, labelsOf, removeCaption, toggleLabel } from "../../src/editor/notes";
import { CUP, PERSON, Story } from "../story";

test("captions are added, edited and deleted, each a step of its own", () => {
  const { editor } = new Story();
  const key = addCaption(editor, "  Two cups.\n")!;
  addCaption(editor, "A table.");
  expect(captionsOf(editor).map(({ text }) => text)).toEqual(["Two cups.", "A table."]);
  expect(editor.document.get(key)).toMatchObject({ category_id: null, bbox: null, segmentation: null });
  editCaption(editor, key, "Three cups. ");
  expect(captionsOf(editor)[0]).toEqual({ key, text: "Three cups. " });
  removeCaption(editor, key);
  expect(captionsOf(editor)).toHaveLength(1);
  editor.undo();
  editor.undo();
  expect(captionsOf(editor)[0]?.text).toBe("Two cups.");
});

test("what nobody changed is not touched, and an empty caption is none", () => {
  const story = new Story();
  const { editor } = story;
  const key = story.given({ category_id: null, caption: "A cat.\r\n" });
  editCaption(editor, key, "A cat.\r\n");
  expect(addCaption(editor, " \n ")).toBeNull();
  expect(editor.history.undoLabel).toBeNull();
  editCaption(editor, key, "  ");
  expect(captionsOf(editor)).toEqual([]);
  expect(editor.history.undoLabel).toBe("Delete caption");
});

test("a label is set and removed by the same choice, also one that is there twice", () => {
  const story = new Story();
  const { editor } = story;
  story.given({ category_id: CUP.id });
  story.given({ category_id: CUP.id });
  story.given({ category_id: PERSON.id, bbox: [1, 1, 5, 5] });
  toggleLabel(editor, PERSON);
  expect([...labelsOf(editor).keys()]).toEqual([CUP.id, PERSON.id]);
  toggleLabel(editor, CUP);
  expect([...labelsOf(editor).keys()]).toEqual([PERSON.id]);
  expect(story.annotations).toHaveLength(2);
  story.key("Mod+Z");
  expect(labelsOf(editor).get(CUP.id)).toHaveLength(2);
});

test("an object with a caption of its own is no caption of the image", () => {
  const story = new Story();
  story.given({ caption: "the left one", bbox: [1, 1, 5, 5] });
  expect(captionsOf(story.editor)).toEqual([]);
  expect(labelsOf(story.editor).size).toBe(0);
});

test("a viewer writes nothing", () => {
  const { editor } = new Story({ readOnly: true });
  expect(addCaption(editor, "A cup.")).toBeNull();
  toggleLabel(editor, CUP);
  expect([...editor.document.entries()]).toEqual([]);
});
