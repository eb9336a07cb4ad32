/**
 * Every tool in TOOLS: whatever the hand does with it, as many undos as there are
 * steps give back the very same document, and as many redos what the hand made.
 */

import fc from "fast-check";
import { expect, test } from "vitest";

import { COMMANDS } from "../../src/editor/commands";
import type { Prediction } from "../../src/model/predictions";
import { EMPTY_ANNOTATION, type Annotation, type AnnotationKey } from "../../src/model/records";
import { toolCommands, TOOLS } from "../../src/tools";
import { answered, picture, sightOf } from "../sight";
import { PERSON, Story } from "../story";
import { mask, rectangle } from "./pixels";

/** Undo and redo are what is tested. */
const NOT_KEYS = ["Mod+Z", "Mod+Y", "Mod+Shift+Z"];
const commands = [...COMMANDS, ...toolCommands(TOOLS.map(({ info }) => info))];
const keys = [...new Set(commands.flatMap((command) => command.keys))].filter((key) => !NOT_KEYS.includes(key));
/** What draws goes on while these are pressed, so that gestures get somewhere. */
const GESTURE_KEYS = ["Enter", "Backspace", "Escape", "T", "Q", "I", "J", "Delete", "ArrowLeft", "Shift+ArrowDown"];

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
  fc.record({ act: fc.constant("shape" as const), way: fc.array(place, { minLength: 2, maxLength: 5 }), held }),
  fc.record({ act: fc.constant("decide" as const), which: fc.nat(2), key: fc.constantFrom("Y", "N", "Shift+Y") }),
  fc.record({ act: fc.constant("key" as const), key: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...GESTURE_KEYS) }, fc.constantFrom(...keys)) }),
);
type Gesture = typeof gesture extends fc.Arbitrary<infer G> ? G : never;

/** Until the picture has answered the tools that ask it. */
async function seen(story: Story): Promise<void> {
  if (LOOKING.includes(story.editor.hand.toolId)) await answered();
}

async function perform(story: Story, step: Gesture): Promise<void> {
  if (step.act === "key") return void story.key(step.key);
  if (step.act === "decide") {
    const { hand, predictions } = story.editor;
    const chosen = predictions.listed[step.which];
    if (chosen && !hand.busy) story.editor.selectPrediction(chosen.id);
    return void story.key(step.key);
  }
  if (step.act === "double click") return void story.doubleClick(...step.at);
  if (step.act === "click") return void story.click(...step.at, { ...step.held, button: step.button });
  if (step.act === "shape") {
    for (const at of step.way) {
      story.click(...at, step.held);
      await seen(story);
    }
    return void story.key("Enter");
  }
  const [first, ...rest] = step.way;
  story.press(...first!, step.held);
  for (const at of rest) story.move(...at, step.held);
  if (step.end === "escape") story.key("Escape");
  if (step.end === "abort") story.abort(step.held);
  else story.release(...rest.at(-1)!, step.held);
}

/** Tools that ask the picture, and go on when it answers. */
const LOOKING = ["wand", "superpixels", "scissors"];
const SEEN = picture((x, y) => [((x >> 4) * 37) % 256, ((y >> 4) * 59) % 256, 128]);

const found = (id: number, shape: Partial<Annotation>): Prediction => ({
  id,
  setId: 1,
  kind: "segmentation",
  score: 0.9,
  shape: { ...EMPTY_ANNOTATION, category_id: PERSON.id, ...shape },
});

function scene(): Story {
  const story = new Story();
  story.editor.sight = sightOf(SEEN);
  story.editor.predictions.load([
    found(1, { bbox: [100, 10, 40, 50] }),
    found(2, { segmentation: [[20, 60, 50, 60, 40, 95]] }),
    found(3, { segmentation: mask(rectangle(150, 40, 30, 30)) }),
  ]);
  story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]], holes: [[40, 40, 60, 40, 50, 60]] });
  story.given({ segmentation: [[90, 20, 120, 20, 120.123456789, 80, 90, 80], [150, 10, 180, 10, 180, 30]] });
  story.given({ bbox: [10, 10, 60.25, 40] });
  story.given({ keypoints: [100, 50, 2, 110, 60, 1, 0, 0, 0] });
  story.given({ segmentation: { size: [100, 200], counts: [9000, 3000, 8000] } });
  story.given({ segmentation: [[130, 50, 150, 50, 150, 70]], bbox: [125, 45, 40.5, 40] });
  return story;
}

/** What is decided about the predictions is a part of what undo gives back. */
const openOf = (story: Story): Prediction[] => [...story.editor.predictions.listed];

const statesOf = (story: Story): [AnnotationKey, Annotation][] => [...story.editor.document.entries()];

test.each(TOOLS.map(({ info }) => info.id))("any gestures with %s and then as many undos", async (toolId) => {
  /** Steps that the hand made with this very tool, by its pointer. */
  let drawn = 0;
  let decided = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(gesture, { minLength: 4, maxLength: 30 }), async (gestures) => {
      const story = scene();
      const { history, hand } = story.editor;
      story.editor.select([statesOf(story)[gestures.length % 6]![0]]);
      hand.choose(toolId);
      const before = [statesOf(story), openOf(story)] as const;
      for (const step of gestures) {
        const [depth, own] = [history.depth, hand.toolId === toolId && step.act !== "key" && step.act !== "decide"];
        await perform(story, step);
        await seen(story);
        if (own && history.depth > depth) drawn++;
      }
      story.key("Escape");
      const after = [statesOf(story), openOf(story)] as const;
      decided += before[1].length - after[1].length;
      let undone = 0;
      for (; history.undoLabel !== null; undone++) story.editor.undo();
      const back = [statesOf(story), openOf(story)] as const;
      expect(back).toStrictEqual(before);
      back[0].forEach(([, annotation], i) => expect(annotation).toBe(before[0][i]![1]));
      for (; undone > 0; undone--) story.editor.redo();
      expect([statesOf(story), openOf(story)]).toStrictEqual(after);
    }),
    { numRuns: 40 },
  );
  // Or the gestures would prove nothing.
  expect(drawn).toBeGreaterThan(0);
  expect(decided).toBeGreaterThan(0);
}, 60_000);
