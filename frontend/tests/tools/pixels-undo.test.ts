import fc from "fast-check";
import { expect, test } from "vitest";

import { answered, picture, sightOf } from "../sight";
import { Story } from "../story";
import { mask, rectangle } from "./pixels";

const SEEN = picture((x, y) => [((x >> 4) * 37) % 256, ((y >> 4) * 59) % 256, 128]);

const place = fc.tuple(fc.integer({ min: -10, max: 210 }), fc.integer({ min: -10, max: 110 }));
const gesture = fc.record({
  tool: fc.constantFrom("M", "E", "W", "U", "S"),
  points: fc.array(place, { minLength: 1, maxLength: 5 }),
  clicks: fc.boolean(),
  shift: fc.boolean(),
  alt: fc.boolean(),
  limit: fc.constantFrom("over", "free", "take"),
  select: fc.option(fc.nat({ max: 4 })),
  end: fc.constantFrom("Enter", "Enter", "Escape", "Backspace", "Shift+M", "2"),
});
type Gesture = typeof gesture extends fc.Arbitrary<infer G> ? G : never;

async function perform(story: Story, { tool, points, clicks, shift, alt, limit, select, end }: Gesture): Promise<void> {
  const { editor } = story;
  const keys = [...editor.document.entries()].map(([key]) => key);
  if (select !== null && keys.length > 0) editor.select([keys[select % keys.length]!]);
  story.key(tool);
  for (const option of editor.hand.options) if (option.id === "paint-limit") editor.options.set(option, limit);
  story.move(...points[0]!);
  await answered();
  if (clicks) for (const at of points) story.click(...at, { shift, alt });
  else {
    story.press(...points[0]!, { shift, alt });
    for (const at of points) story.move(...at);
    story.release();
  }
  story.key(end);
  await answered();
  // Whatever is still in hand, such as a polygon of two points, is dropped.
  if (editor.hand.busy) story.key("Escape");
}

test("any series of gestures on pixels, and as many undos, gives back the identical document", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(gesture, { minLength: 1, maxLength: 6 }), async (gestures) => {
      const story = new Story();
      story.editor.sight = sightOf(SEEN);
      story.given({ segmentation: mask(rectangle(10, 10, 60, 40), false), iscrowd: 1 });
      story.given({ segmentation: mask(rectangle(50, 30, 80, 50)) });
      story.given({ segmentation: [[90.5, 10, 150, 12.25, 140, 60]], holes: [[100, 20, 110, 20, 105, 30]] });
      story.given({ segmentation: { size: [7, 7], counts: [0, 49] } });
      const before = story.annotations;
      for (const each of gestures) await perform(story, each);
      const after = story.annotations;
      let steps = 0;
      while (story.editor.history.undo()) steps++;
      expect(story.annotations).toEqual(before);
      story.annotations.forEach((annotation, i) => expect(annotation).toBe(before[i]));
      for (let i = 0; i < steps; i++) story.editor.history.redo();
      expect(story.annotations).toEqual(after);
    }),
    { numRuns: 25 },
  );
  // A second of work; a machine that is busy with other things takes its time.
}, 60_000);
