import { expect, test } from "vitest";

import { LastPoses } from "../../src/editor/last-poses";
import { CUP, PERSON, Story } from "../story";

/** The category of COCO's persons, and a figure of three points with two names of its own. */
const COCO = {
  ...PERSON,
  id: 9,
  name: "coco person",
  keypoints: [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
  ],
  skeleton: [],
};
const BIRD = { ...PERSON, id: 10, name: "bird", keypoints: ["beak", "tail"], skeleton: [[1, 2]] as const };

function placing(): Story {
  return new Story({ categories: [PERSON, CUP, COCO, BIRD] }).key("K");
}

test("points are placed in the order of the category, named at the pointer, as one step", () => {
  const story = placing().move(50, 20);
  const preview = () => story.editor.hand.preview;
  expect(preview().label).toEqual({ at: { x: 50, y: 20 }, text: "nose" });
  story.click(50.123, 20).move(60, 30);
  expect(story.path).toBe("keypoints.placing");
  expect(preview().label?.text).toBe("left eye");
  // The limb to the nose follows the pointer.
  expect(preview().limbs).toEqual([[{ x: 50.12, y: 20 }, { x: 60, y: 30 }]]);
  story.click(60, 10, { shift: true }).click(40, 10);
  expect(story.path).toBe("keypoints.ready");
  expect(story.annotations).toMatchObject([
    { category_id: PERSON.id, keypoints: [50.12, 20, 2, 60, 10, 1, 40, 10, 2], bbox: null },
  ]);
  expect(story.selected).toHaveLength(1);
  expect(story.key("Mod+Z").annotations).toEqual([]);
  expect(story.key("Mod+Shift+Z").annotations).toHaveLength(1);
});

test("a point is skipped by a key, hidden by a key, and taken back", () => {
  const story = placing().click(50, 20).key("Shift+V").key("Shift+S").click(40, 10);
  expect(story.annotations).toMatchObject([{ keypoints: [50, 20, 1, 0, 0, 0, 40, 10, 2] }]);
  // With a point left out the next press begins another one all the same.
  story.click(100, 20).click(110, 10).key("Backspace");
  expect(story.annotations[1]?.keypoints).toEqual([100, 20, 2, 0, 0, 0, 0, 0, 0]);
  story.key("Shift+S").key("Mod+Z").click(111, 11).press(90, 10, { button: 2 }).key("Enter");
  expect(story.annotations[1]?.keypoints).toEqual([100, 20, 2, 0, 0, 0, 0, 0, 0]);
});

test("Escape drops all of it, and so does taking back the first point", () => {
  for (const key of ["Escape", "Backspace"]) {
    const story = placing().click(50, 20).key(key);
    expect(story.annotations).toEqual([]);
    expect(story.path).toBe("keypoints.ready");
    expect(story.editor.history.undoLabel).toBeNull();
  }
});

test("a press that drags places the point where it is released", () => {
  const story = placing().click(50, 20).drag([60, 10], [70, 15]);
  expect(story.annotations[0]?.keypoints).toEqual([50, 20, 2, 70, 15, 2, 0, 0, 0]);
});

test("keypoints are added to the selected polygon; every other field is the same object", () => {
  const story = new Story();
  const key = story.given({ segmentation: [[20, 5, 90, 5, 90, 60, 20, 60]], attributes: { a: 1 } });
  const before = story.editor.document.get(key)!;
  story.click(80, 50).key("K").click(50, 20).click(60, 10).click(40, 10);
  const after = story.editor.document.get(key)!;
  expect(after.keypoints).toEqual([50, 20, 2, 60, 10, 2, 40, 10, 2]);
  expect({ ...after, keypoints: null }).toEqual(before);
  expect(after.segmentation).toBe(before.segmentation);
  expect(story.key("Mod+Z").annotations).toEqual([before]);
});

test("absent points of the selection come first, labelled ones are dragged", () => {
  const story = new Story();
  story.given({ keypoints: [50, 20, 2, 0, 0, 0, 40, 10, 1] });
  story.click(50, 20).key("K").move(70, 30);
  expect(story.editor.hand.preview.label?.text).toBe("left eye");
  story.move(40, 10);
  expect(story.editor.view.hoveredHandle?.label).toBe("right eye (hidden)");
  story.drag([40, 10], [45, 30]).click(60, 10);
  expect(story.annotations).toMatchObject([{ keypoints: [50, 20, 2, 60, 10, 2, 45, 30, 1] }]);
  expect(story.press(45, 30).move(80, 80).key("Escape").release().annotations).toMatchObject([
    { keypoints: [50, 20, 2, 60, 10, 2, 45, 30, 1] },
  ]);
});

test("the point under the pointer is hidden, shown and made absent by keys, with either tool", () => {
  const story = new Story();
  story.given({ keypoints: [50, 20, 2, 60, 10, 2, 40, 10, 2] });
  story.click(50, 20).move(60, 10).key("Shift+V");
  expect(story.annotations[0]?.keypoints?.slice(3, 6)).toEqual([60, 10, 1]);
  story.key("K").move(60, 10).key("Shift+V");
  expect(story.annotations[0]?.keypoints?.slice(3, 6)).toEqual([60, 10, 2]);
  story.key("Shift+S");
  expect(story.annotations[0]?.keypoints).toEqual([50, 20, 2, 0, 0, 0, 40, 10, 2]);
});

test("a point chosen by its name is placed next, also one that is there already", () => {
  const story = new Story();
  story.given({ keypoints: [50, 20, 2, 60, 10, 2, 40, 10, 2] });
  story.click(50, 20).key("K");
  story.editor.view.keypoint = 2;
  story.click(30, 12);
  expect(story.annotations[0]?.keypoints).toEqual([50, 20, 2, 60, 10, 2, 30, 12, 2]);
  expect(story.path).toBe("keypoints.ready");
});

test("left and right are swapped by the names", () => {
  const story = new Story();
  story.given({ keypoints: [50, 20, 2, 60, 10, 1, 0, 0, 0] });
  story.click(50, 20).key("Shift+R");
  expect(story.annotations[0]?.keypoints).toEqual([50, 20, 2, 0, 0, 0, 60, 10, 1]);
  expect(story.key("Mod+Z").annotations[0]?.keypoints).toEqual([50, 20, 2, 60, 10, 1, 0, 0, 0]);
});

test("a drag places a whole standing person, scaled into the box", () => {
  const story = placing();
  story.editor.chooseCategory(COCO.id);
  story.press(20, 10).move(30, 20).move(60, 90);
  expect(story.path).toBe("keypoints.spanning");
  expect(story.editor.hand.preview.dots).toHaveLength(17);
  story.release(60, 90);
  const [pose] = story.annotations;
  expect(pose?.keypoints).toHaveLength(51);
  expect(pose?.keypoints?.slice(0, 3)).toEqual([40, 19.6, 2]);
  const heights = pose!.keypoints!.filter((_, i) => i % 3 === 1);
  expect(heights.every((y) => y >= 10 && y <= 90)).toBe(true);
  // Facing the camera: the left shoulder is on the right of the image.
  expect(pose!.keypoints![15]).toBeGreaterThan(pose!.keypoints![18]!);
  expect(story.key("Mod+Z").annotations).toEqual([]);
});

test("other categories take the pose of their first object on the image, or one along the skeleton", () => {
  const story = placing();
  story.editor.chooseCategory(BIRD.id);
  story.drag([20, 10], [60, 50]);
  expect(story.annotations[0]?.keypoints).toEqual([40, 13.2, 2, 40, 46.8, 2]);
  story.key("Mod+Z");
  story.given({ category_id: BIRD.id, bbox: [100, 0, 40, 40], keypoints: [110, 10, 2, 140, 40, 1] });
  story.drag([20, 10], [60, 90]);
  expect(story.annotations[1]?.keypoints).toEqual([30, 30, 2, 60, 90, 2]);
});

test("a pose that reaches beyond the image keeps its shape; what of it is outside is absent", () => {
  const inside = placing();
  inside.editor.chooseCategory(COCO.id);
  inside.drag([100, 10], [140, 90]);
  const story = placing();
  story.editor.chooseCategory(COCO.id);
  story.drag([180, 10], [220, 90]);
  const [whole, cut] = [inside.annotations[0]!.keypoints!, story.annotations[0]!.keypoints!];
  const wanted = whole.flatMap((_, i) => {
    if (i % 3 !== 0) return [];
    const [x, y, v] = [whole[i]! + 80, whole[i + 1]!, whole[i + 2]!];
    return x <= 200 ? [x, y, v] : [0, 0, 0];
  });
  expect(cut).toEqual(wanted);
  expect(cut.filter((_, i) => i % 3 === 2 && cut[i] === 2).length).toBeGreaterThan(5);
  story.key("Mod+Z").drag([260, 10], [290, 90]);
  expect(story.annotations).toEqual([]);
  expect(story.editor.notice).toContain("No point of the pose");
});

test("the next whole pose begins with the last one that was placed, also on another image", () => {
  const [kept, shelved] = [new Map<string, string>(), { userId: 4 }];
  const store = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => void kept.set(name, text),
    removeItem: (name: string) => void kept.delete(name),
  };
  const open = (): Story => {
    const story = new Story({ categories: [BIRD], poses: new LastPoses(store, shelved.userId) }).key("K");
    story.editor.chooseCategory(BIRD.id);
    return story;
  };
  open().click(110, 10).click(150, 40);
  const next = open().drag([20, 10], [60, 90]);
  expect(next.annotations[0]?.keypoints).toEqual([20, 10, 2, 60, 90, 2]);
  // Put right with the select tool it is another one.
  next.key("V").drag([60, 90], [60, 50]).drag([20, 10], [40, 90]);
  const turned = open().drag([100, 10], [140, 50]).annotations[0]?.keypoints;
  expect(turned).toEqual([100, 50, 2, 140, 10, 2]);
  // What others do to it says nothing, nor does its deletion.
  next.editor.document.apply(new Map([[next.selected[0]!, { ...next.annotations[0]!, keypoints: [0, 0, 2, 9, 9, 2] }]]), "remote");
  next.key("Delete");
  expect(open().drag([100, 10], [140, 50]).annotations[0]?.keypoints).toEqual(turned);
  // Another person's poses are their own, and what is no pose does no harm.
  shelved.userId = 5;
  expect(open().drag([100, 10], [140, 50]).annotations[0]?.keypoints).not.toEqual(turned);
  kept.set("maskwright-poses-5", '[["x", 1], [3, ["a"]], 7]');
  expect(open().drag([20, 10], [60, 90]).annotations).toHaveLength(1);
});

test("a pose is put into the selected box by a command", () => {
  const story = new Story({ categories: [COCO] });
  story.given({ bbox: [20, 10, 40, 80], category_id: COCO.id });
  story.click(40, 50).run("keypoints-pose");
  expect(story.annotations[0]).toMatchObject({ bbox: [20, 10, 40, 80] });
  expect(story.annotations[0]?.keypoints?.slice(0, 3)).toEqual([40, 19.6, 2]);
  expect(() => story.run("keypoints-pose")).toThrow();
});

test("a category without keypoints says so and takes none", () => {
  const story = new Story();
  story.editor.chooseCategory(CUP.id);
  story.key("K").move(50, 20);
  expect(story.editor.hand.preview.label).toBeNull();
  expect(story.editor.hand.hints[0]?.does).toContain("“cup” has no keypoints");
  story.click(50, 20).drag([20, 20], [60, 60]);
  expect(story.annotations).toEqual([]);
  expect(story.editor.notice).toContain("“cup” has no keypoints");
});

test("numbers that do not fit the category are left alone", () => {
  const story = new Story();
  const key = story.given({ bbox: [20, 10, 40, 40], keypoints: [30, 20, 2, 40, 20, 2] });
  story.click(25, 45).key("K").click(100, 20).key("Enter");
  expect(story.editor.document.get(key)?.keypoints).toEqual([30, 20, 2, 40, 20, 2]);
  expect(story.annotations).toHaveLength(2);
});

test("a panel cannot break the step of a gesture in two", () => {
  const story = placing().click(50, 20).move(60, 30);
  const { editor } = story;
  editor.edit("Change crowd", story.selected, (old) => ({ ...old, iscrowd: 1 }));
  expect(editor.notice).toBe("Finish the shape in hand or drop it, then change this.");
  expect([story.annotations[0]?.iscrowd, editor.history.depth, editor.history.open]).toEqual([0, 0, true]);
  story.click(60, 10).key("Escape");
  expect(story.annotations).toEqual([]);
});
