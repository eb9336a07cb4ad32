import { expect, test } from "vitest";

import { dotRadius } from "../../src/render/paint";

test("the points of a pose that is small on the screen do not hide it", () => {
  expect(dotRadius(Infinity), "one point alone").toBe(4);
  expect(dotRadius(400)).toBe(4);
  expect(dotRadius(90)).toBe(2);
  expect(dotRadius(10), "never too small to be seen").toBe(1.5);
});
