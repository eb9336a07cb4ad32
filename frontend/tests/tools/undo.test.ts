/**
 * Every tool in TOOLS: whatever the hand does with it, as many undos as there are
 * steps give back the very same document, and as many redos what the hand made.
 */

import fc from "fast-check";
import { expect, test } from "vitest";

import { COMMANDS } from "../../src/editor/commands";
import type { Annotation, AnnotationKey } from "../../src/model/records";
import { toolCommands, TOOLS } from "../../src/tools";
import { Story } from "../story";

/** Undo and redo are what is tested. */
const NOT_KEYS = ["Mod+Z", "Mod+Y", "Mod+Shift+Z"];
const commands = [...COMMANDS, ...toolCommands(TOOLS.map(({ info }) => info))];
const keys = [...new Set(commands.flatMap((command) => command.keys))].filter((key) => !NOT_KEYS.includes(key));
/** What draws goes on while these are pressed, so that gestures get somewhere. */
const GESTURE_KEYS = ["Enter", "Backspace", "Escape", "T", "Q", "S", "J", "Delete", "ArrowLeft", "Shift+ArrowDown"];

const coordinate = (most: number): fc.Arbitrary<number> => fc.integer({ min: -5, max: most + 5 });
/** Corners of what is in the scene are met often, or nothing would happen to them. */
const place = fc.oneof(
  fc.constantFrom<[number, number]>([20, 20], [90, 20], [90, 80], [20, 80], [40, 40], [55, 20], [100, 50], [120, 20]),
  fc.tuple(coordinate(200), coordinate(100)),
);
const held = fc.record({
  shift: fc.boolean(),
  alt: fc.boolean(),
  primary: fc.boolean(),
  device: fc.constantFrom("mouse" as const, "mouse" as const, "touch" as const, "pen" as const),
});
const gesture = fc.oneof(
  fc.record({ act: fc.constant("click" as const), at: place, held, button: fc.constantFrom(0, 0, 0, 2) }),
  fc.record({ act: fc.constant("double click" as const), at: place }),
  fc.record({
    act: fc.constant("drag" as const),
    way: fc.array(place, { minLength: 2, maxLength: 5 }),
    held,
    end: fc.constantFrom("release" as const, "release" as const, "escape" as const, "abort" as const),
  }),
  fc.record({ act: fc.constant("key" as const), key: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...GESTURE_KEYS) }, fc.constantFrom(...keys)) }),
);
type Gesture = typeof gesture extends fc.Arbitrary<infer G> ? G : never;

function perform(story: Story, step: Gesture): void {
  if (step.act === "key") return void story.key(step.key);
  if (step.act === "double click") return void story.doubleClick(...step.at);
  if (step.act === "click") return void story.click(...step.at, { ...step.held, button: step.button });
  const [first, ...rest] = step.way;
  story.press(...first!, step.held);
  for (const at of rest) story.move(...at, step.held);
  if (step.end === "escape") story.key("Escape");
  if (step.end === "abort") story.abort(step.held);
  else story.release(...rest.at(-1)!, step.held);
}

function scene(): Story {
  const story = new Story();
  story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]], holes: [[40, 40, 60, 40, 50, 60]] });
  story.given({ segmentation: [[90, 20, 120, 20, 120.123456789, 80, 90, 80], [150, 10, 180, 10, 180, 30]] });
  story.given({ bbox: [10, 10, 60.25, 40] });
  story.given({ keypoints: [100, 50, 2, 110, 60, 1, 0, 0, 0] });
  story.given({ segmentation: { size: [100, 200], counts: [9000, 3000, 8000] } });
  story.given({ segmentation: [[130, 50, 150, 50, 150, 70]], bbox: [125, 45, 40.5, 40] });
  return story;
}

const statesOf = (story: Story): [AnnotationKey, Annotation][] => [...story.editor.document.entries()];

test.each(TOOLS.map(({ info }) => info.id))("any gestures with %s and then as many undos", (toolId) => {
  let steps = 0;
  fc.assert(
    fc.property(fc.array(gesture, { minLength: 4, maxLength: 30 }), (gestures) => {
      const story = scene();
      story.editor.select([statesOf(story)[gestures.length % 6]![0]]);
      story.editor.hand.choose(toolId);
      const before = statesOf(story);
      for (const step of gestures) perform(story, step);
      story.key("Escape");
      const after = statesOf(story);
      let undone = 0;
      for (; story.editor.history.undoLabel !== null; undone++) story.editor.undo();
      steps += undone;
      const back = statesOf(story);
      expect(back).toStrictEqual(before);
      back.forEach(([, annotation], i) => expect(annotation).toBe(before[i]![1]));
      for (; undone > 0; undone--) story.editor.redo();
      expect(statesOf(story)).toStrictEqual(after);
    }),
    { numRuns: 40 },
  );
  // Or the gestures would prove nothing.
  expect(steps).toBeGreaterThan(0);
});
