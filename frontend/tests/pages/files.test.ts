import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isLitter, nameInside, shares, takeBatch, type Pick } from "../../src/pages/files";

function pick(name: string, size = 10): Pick {
  const file = new File([], name);
  Object.defineProperty(file, "size", { value: size });
  return { name, file };
}

describe("batches of files", () => {
  it("hold some small files together", () => {
    const queue = Array.from({ length: 60 }, (_, index) => pick(`${index}.jpg`));
    expect(takeBatch(queue)).toHaveLength(24);
    expect(queue).toHaveLength(36);
  });

  it("hold a zip or a very large file alone", () => {
    const queue = [pick("a.jpg"), pick("b.ZIP"), pick("c.tif", 900_000_000), pick("d.jpg")];
    const batches = [takeBatch(queue), takeBatch(queue), takeBatch(queue), takeBatch(queue)];
    expect(batches.map((batch) => batch.map(({ name }) => name))).toEqual([
      ["a.jpg"], ["b.ZIP"], ["c.tif"], ["d.jpg"],
    ]);
  });

  it("send every file once, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50_000_000), { maxLength: 100 }), (sizes) => {
        const picks = sizes.map((size, index) => pick(`${index}.jpg`, size));
        const queue = [...picks];
        const sent: Pick[] = [];
        while (queue.length > 0) sent.push(...takeBatch(queue));
        expect(sent).toEqual(picks);
      }),
    );
  });
});

describe("names of files", () => {
  it("leave out the folder that was chosen", () => {
    expect(nameInside("photos/a.jpg")).toBe("a.jpg");
    expect(nameInside("/photos/train/a.jpg")).toBe("train/a.jpg");
    expect(nameInside("a.jpg")).toBe("a.jpg");
  });

  it("of things that systems leave behind are known", () => {
    expect([".DS_Store", "x/Thumbs.db", "__MACOSX/a.jpg", "a/.b"].every(isLitter)).toBe(true);
    expect(isLitter("a.b.jpg")).toBe(false);
  });
});

describe("progress within a request", () => {
  it("goes from file to file", () => {
    expect(shares([100, 50, 0, 50], 125)).toEqual([1, 0.5, 0, 0]);
    expect(shares([100, 0], 100)).toEqual([1, 1]);
    expect(shares([100, 100], 0)).toEqual([0, 0]);
  });
});
