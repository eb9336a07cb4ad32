import { expect, test } from "vitest";

import { pack, unpacked } from "../../src/model/packed";
import { EMPTY_ANNOTATION, type Annotation } from "../../src/model/records";

const of = (fields: Partial<Annotation>): Annotation => ({ ...EMPTY_ANNOTATION, ...fields });

test("annotations come out of a message as they went in, to the last digit", () => {
  const all = [
    of({ segmentation: [[0.1, -0, 5e-324, 1 / 3, 2 ** 53, 7], [1, 2, 3, 4, 5, 6]], holes: [[1, 1, 2, 2, 3, 1]] }),
    null,
    of({ segmentation: { size: [4, 5], counts: "PPYo0" }, iscrowd: 1 }),
    of({ segmentation: { size: [2, 2], counts: [1, 3] } }),
    of({ segmentation: [], keypoints: [1.5, 2.5, 2], attributes: { colour: "red" } }),
    of({ bbox: [1, 2, 3, 4], category_id: 7 }),
    of({ segmentation: [[9, 9, 8, 8, 7, 9]] }),
  ];
  const packed = pack(all);
  expect(packed.numbers.length).toBe(24);
  const sent = structuredClone(packed, { transfer: [packed.numbers.buffer] });
  expect(packed.numbers.length, "nothing was copied").toBe(0);
  expect([...unpacked(sent)]).toStrictEqual(all);
});
