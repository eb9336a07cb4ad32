import fc from "fast-check";
import { expect, test } from "vitest";

import { AnnotationDocument } from "../../src/model/document";
import { History } from "../../src/model/history";
import { EMPTY_ANNOTATION, newKey, type Annotation } from "../../src/model/records";
import { Story } from "../story";

const some = (change: Partial<Annotation> = {}): Annotation => ({ ...EMPTY_ANNOTATION, ...change });

const coordinate = (most: number) => fc.integer({ min: -5, max: most + 5 });
const place = fc.tuple(coordinate(200), coordinate(100));
const gesture = fc.oneof(
  fc.record({ act: fc.constant("click" as const), at: place, shift: fc.boolean() }),
  fc.record({ act: fc.constant("drag" as const), at: place, to: place, escape: fc.boolean() }),
  fc.record({
    act: fc.constant("key" as const),
    key: fc.constantFrom("V", "B", "P", "1", "2", "Enter", "Backspace", "Delete", "Escape", "H"),
  }),
);

function perform(story: Story, step: typeof gesture extends fc.Arbitrary<infer G> ? G : never): void {
  if (step.act === "click") story.click(...step.at, { shift: step.shift });
  else if (step.act === "key") story.key(step.key);
  else if (step.escape) story.press(...step.at).move(...step.to).key("Escape").release();
  else story.drag(step.at, step.to);
}

function scene(): Story {
  const story = new Story();
  story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]], holes: [[40, 40, 60, 40, 50, 60]] });
  story.given({ bbox: [10, 10, 60.25, 40] });
  story.given({ keypoints: [100, 50, 2, 110, 60, 1, 0, 0, 0] });
  story.given({ segmentation: { size: [100, 200], counts: [9000, 3000, 8000] } });
  return story;
}

test("any gestures and then as many undos give back the identical document", () => {
  fc.assert(
    fc.property(fc.array(gesture, { maxLength: 40 }), (gestures) => {
      const story = scene();
      const before = [...story.editor.document.entries()];
      for (const step of gestures) perform(story, step);
      story.key("Escape");
      const after = [...story.editor.document.entries()];
      let undone = 0;
      while (story.editor.history.undoLabel !== null) {
        story.editor.undo();
        undone++;
      }
      const back = [...story.editor.document.entries()];
      expect(back).toStrictEqual(before);
      back.forEach(([, annotation], i) => expect(annotation).toBe(before[i]![1]));
      for (; undone > 0; undone--) story.editor.redo();
      expect([...story.editor.document.entries()]).toStrictEqual(after);
    }),
    { numRuns: 300 },
  );
});

test("an undo leaves alone what someone else changed meanwhile", () => {
  const document = new AnnotationDocument();
  const history = new History(document);
  const key = newKey();
  document.apply(new Map([[key, some({ bbox: [0, 0, 1, 1] })]]), "remote");
  history.mark("Move");
  document.apply(new Map([[key, some({ bbox: [5, 5, 1, 1] })]]), "local");
  history.commit();
  document.apply(new Map([[key, some({ bbox: [5, 5, 1, 1], category_id: 3 })]]), "remote");
  expect(history.undo()).toBe(true);
  expect(document.get(key)).toEqual(some({ bbox: [0, 0, 1, 1], category_id: 3 }));
});

test("an undo does not bring back what someone else deleted", () => {
  const document = new AnnotationDocument();
  const history = new History(document);
  const key = newKey();
  document.apply(new Map([[key, some()]]), "remote");
  history.mark("Move");
  document.apply(new Map([[key, some({ iscrowd: 1 })]]), "local");
  history.commit();
  document.apply(new Map([[key, null]]), "remote");
  history.undo();
  expect(document.get(key)).toBeNull();
});

test("a step without effect is no step", () => {
  const history = new History(new AnnotationDocument());
  history.mark("Nothing");
  history.commit();
  expect(history.undo()).toBe(false);
});
