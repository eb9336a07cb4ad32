import { expect, test } from "vitest";

import { AnnotationDocument } from "../../src/model/document";
import { History } from "../../src/model/history";
import { Predictions } from "../../src/model/predictions";
import { EMPTY_ANNOTATION, newKey, type Annotation } from "../../src/model/records";

const some = (change: Partial<Annotation> = {}): Annotation => ({ ...EMPTY_ANNOTATION, ...change });

const nothing = (): Predictions => new Predictions(() => undefined);

test("an undo leaves alone what someone else changed meanwhile", () => {
  const document = new AnnotationDocument();
  const history = new History(document, nothing());
  const key = newKey();
  document.apply(new Map([[key, some({ bbox: [0, 0, 1, 1] })]]), "remote");
  history.mark("Move");
  document.apply(new Map([[key, some({ bbox: [5, 5, 1, 1] })]]), "local");
  history.commit();
  document.apply(new Map([[key, some({ bbox: [5, 5, 1, 1], category_id: 3 })]]), "remote");
  expect(history.undo()).toEqual({ did: true, left: [] });
  expect(document.get(key)).toEqual(some({ bbox: [0, 0, 1, 1], category_id: 3 }));
});

test("an undo does not bring back what someone else deleted", () => {
  const document = new AnnotationDocument();
  const history = new History(document, nothing());
  const key = newKey();
  document.apply(new Map([[key, some()]]), "remote");
  history.mark("Move");
  document.apply(new Map([[key, some({ iscrowd: 1 })]]), "local");
  history.commit();
  document.apply(new Map([[key, null]]), "remote");
  expect(history.undo()).toEqual({ did: false, left: [{ key, because: "changed" }] });
  expect(document.get(key)).toBeNull();
});

test("a step without effect is no step", () => {
  const history = new History(new AnnotationDocument(), nothing());
  history.mark("Nothing");
  history.commit();
  expect(history.undo()).toBeNull();
});

test("a cancelled step that changed something back and on gives the very object again", () => {
  const document = new AnnotationDocument();
  const history = new History(document, nothing());
  const key = newKey();
  const original = some({ bbox: [0, 0, 1, 1] });
  document.apply(new Map([[key, original]]), "remote");
  history.mark("Move");
  document.apply(new Map([[key, some({ bbox: [5, 5, 1, 1] })]]), "local");
  document.apply(new Map([[key, some({ bbox: [0, 0, 1, 1] })]]), "local");
  history.cancel();
  expect(document.get(key)).toBe(original);
});
