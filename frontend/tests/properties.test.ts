import { expect, test } from "vitest";

import {
  attributeNames,
  boxWith,
  categoryNamed,
  SEVERAL,
  shared,
  sideText,
  typedScore,
  typedValue,
  valueText,
  withAttribute,
  withoutAttribute,
} from "../src/panels/properties";
import { EMPTY_ANNOTATION } from "../src/model/records";
import { CUP, PERSON } from "./story";

const worn = { ...EMPTY_ANNOTATION, category_id: 7, attributes: { worn: true, n: [1.5] } };
const plain = { ...EMPTY_ANNOTATION, category_id: 7, attributes: { n: [1.5] } };

test("several annotations share what is equal", () => {
  expect(shared([worn, plain], ({ category_id }) => category_id)).toBe(7);
  expect(shared([worn, plain], ({ attributes }) => attributes["n"])).toEqual([1.5]);
  expect(shared([worn, plain], ({ attributes }) => attributes["worn"])).toBe(SEVERAL);
  expect(attributeNames([plain, worn])).toEqual(["n", "worn"]);
});

test.each([true, false, null, 12, -0.5, "red", "12", "true", "", " spaced ", '"quoted"', "a: b", [1, "2"], { deep: null }])(
  "%j is typed as it is shown",
  (value) => {
    expect(typedValue(valueText(value))).toEqual(value);
  },
);

test("an attribute is set, replaced and removed; without a difference nothing is", () => {
  expect(withAttribute(plain, "worn", true)?.attributes).toEqual({ n: [1.5], worn: true });
  expect(withAttribute(worn, "n", [1.5])).toBeNull();
  expect(withoutAttribute(worn, "worn")?.attributes).toEqual({ n: [1.5] });
  expect(withoutAttribute(plain, "worn")).toBeNull();
});

test("typed numbers of boxes and scores are taken when they make sense", () => {
  expect(boxWith([1, 2, 3, 4], 2, "7.25")).toEqual([1, 2, 7.25, 4]);
  expect(boxWith([1, 2, 3, 4], 0, "-5")).toEqual([-5, 2, 3, 4]);
  for (const text of ["0", "-1", "", "wide", "Infinity"]) expect(boxWith([1, 2, 3, 4], 3, text)).toBeNull();
  expect([typedScore("0.5"), typedScore(" "), typedScore("high")]).toEqual([0.5, null, undefined]);
  expect([typedScore("0,5"), typedScore("1,234.5"), typedScore("1,2,3")]).toEqual([0.5, undefined, undefined]);
  expect(boxWith([1, 2, 3, 4], 2, "7,25")).toEqual([1, 2, 7.25, 4]);
  // A thousand and more to some, one and a bit to others.
  expect([typedScore("0,125"), boxWith([1, 2, 3, 4], 2, "1,234")]).toEqual([0.125, null]);
});

test("a side that was computed is shown without the digits that nobody wrote", () => {
  expect(sideText(128.10000000000002, false)).toBe("128.1");
  expect(sideText(40, false)).toBe("40");
  expect(sideText(128.10000000000002, true)).toBe("128.10000000000002");
});

test("a category is found by its name, its beginning or a part that no other has", () => {
  const categories = [PERSON, CUP, { ...CUP, id: 9, name: "cupboard" }];
  const found = (text: string) => categoryNamed(categories, text)?.id ?? null;
  expect([found("Cup"), found("pers"), found("boar"), found("cu"), found(""), found("dog")]).toEqual([8, 7, 9, null, null, null]);
});
