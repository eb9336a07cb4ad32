/**
 * A hand without a screen: pointer events told as a story.
 *
 * The camera is the identity at first, so screen and image points are the same
 * numbers. Every step advances the clock by a second unless told otherwise, so
 * that two clicks are a double click only when a story says so.
 */

import { Clipboard } from "../src/editor/clipboard";
import { Editor } from "../src/editor/editor";
import { COMMANDS } from "../src/editor/commands";
import { LastPoses } from "../src/editor/last-poses";
import { commandFor } from "../src/editor/keys";
import type { PointerInput } from "../src/editor/input";
import { screenPoint } from "../src/geometry/point";
import {
  EMPTY_ANNOTATION,
  newKey,
  type Annotation,
  type AnnotationKey,
  type Category,
} from "../src/model/records";
import { toolCommands } from "../src/tools";
import { Toolbox } from "../src/tools/toolbox";

export const PERSON: Category = {
  id: 7,
  name: "person",
  supercategory: null,
  color: "#3366cc",
  keypoints: ["nose", "left eye", "right eye"],
  skeleton: [[1, 2], [1, 3]],
};
export const CUP: Category = { ...PERSON, id: 8, name: "cup", keypoints: [], skeleton: [] };

type Options = Partial<Pick<PointerInput, "shift" | "primary" | "alt" | "rubber" | "button" | "device" | "pointerId">>;

export class Story {
  readonly editor: Editor;
  #clock = 0;
  #at: [number, number] = [0, 0];

  constructor({ readOnly = false, categories = [PERSON, CUP], clipboard = new Clipboard(), poses = new LastPoses() } = {}) {
    const image = {
      id: 1,
      dataset_id: 1,
      file_name: "a.jpg",
      width: 200,
      height: 100,
      status: "new" as const,
      has_file: true,
      revision: 0,
      updated_at: "2026-01-01T00:00:00Z",
    };
    this.editor = new Editor({ image, categories, readOnly, clipboard, poses });
    this.editor.takeUp(new Toolbox(this.editor));
    this.editor.stage = { width: 200, height: 100 };
  }

  given(annotation: Partial<Annotation>): AnnotationKey {
    const key = newKey();
    const whole = { ...EMPTY_ANNOTATION, category_id: PERSON.id, ...annotation };
    this.editor.document.apply(new Map([[key, whole]]), "remote");
    return key;
  }

  press(x: number, y: number, options: Options = {}): this {
    return this.#input("down", x, y, options);
  }

  move(x: number, y: number, options: Options = {}): this {
    return this.#input("move", x, y, options);
  }

  release(x = this.#at[0], y = this.#at[1], options: Options = {}): this {
    return this.#input("up", x, y, options);
  }

  /** The press comes to nothing, as when the system takes the pointer away. */
  abort(options: Options = {}): this {
    return this.#input("abort", ...this.#at, options);
  }

  click(x: number, y: number, options: Options = {}): this {
    return this.move(x, y, options).press(x, y, options).release(x, y, options);
  }

  /** The next step follows a tenth of a second after the last one. */
  soon(): this {
    this.#clock -= 900;
    return this;
  }

  doubleClick(x: number, y: number): this {
    this.click(x, y);
    this.#clock -= 3900;
    return this.click(x, y);
  }

  drag(from: [number, number], to: [number, number], options: Options = {}): this {
    const middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2] as const;
    return this.press(...from, options)
      .move(...middle, options)
      .move(...to, options)
      .release(...to, options);
  }

  key(name: string): this {
    const commands = [...COMMANDS, ...toolCommands(this.editor.hand.tools)];
    commandFor(commands, name, this.editor)?.run(this.editor);
    return this;
  }

  /** A command by its name, as from the palette. */
  run(id: string): this {
    const command = COMMANDS.find((each) => each.id === id);
    if (!command || (command.when && !command.when(this.editor))) throw new Error(`${id} does not run.`);
    command.run(this.editor);
    return this;
  }

  get path(): string {
    return this.editor.hand.path;
  }

  get annotations(): Annotation[] {
    return [...this.editor.document.entries()].map(([, annotation]) => annotation);
  }

  get selected(): AnnotationKey[] {
    return [...this.editor.view.selection];
  }

  #input(type: PointerInput["type"], x: number, y: number, options: Options): this {
    this.#clock += 1000;
    this.#at = [x, y];
    const screen = screenPoint(x, y);
    this.editor.hand.pointer({
      type,
      pointerId: 1,
      device: "mouse",
      button: 0,
      shift: false,
      primary: false,
      alt: false,
      rubber: false,
      ...options,
      screen,
      image: this.editor.toImage(screen),
      time: this.#clock,
    });
    return this;
  }
}
