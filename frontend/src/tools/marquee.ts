/**
 * The marquee of the select tool: a rectangle that selects.
 *
 * Drawn to the right it takes what lies wholly in it; drawn to the left, all that it
 * touches, as in CAD programs. Shift adds what it takes to the selection.
 */

import { NO_PREVIEW, type Hint, type Marquee, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { boundsOfBox, boxBetween } from "../geometry/bounds";
import type { ImagePoint } from "../geometry/point";
import type { AnnotationKey } from "../model/records";
import type { SelectTool } from "./select";
import { isDrag } from "./pointing";
import { State } from "./tool";

/** Larger than the tip of a finger that covers it. */
const SIGN_CSS_PIXELS = 40;

/** A finger has stayed where it came down: dragged on it selects many, lifted it adds one or takes it away. */
export class PressingLong extends State<SelectTool> {
  override readonly name = "pressing_long";
  override readonly busy = true;
  readonly #press: PointerInput;

  constructor(tool: SelectTool, press: PointerInput) {
    super(tool);
    this.#press = press;
  }

  override get preview(): Preview {
    const { x, y } = this.#press.image;
    const reach = this.editor.imageLength(SIGN_CSS_PIXELS);
    const bounds = { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach };
    return { ...NO_PREVIEW, marquee: { bounds, touching: false } };
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Drag", does: "select many" },
      { gesture: "Lift", does: "add to the selection or take away" },
    ];
  }

  override move(input: PointerInput): void {
    if (isDrag(this.#press.screen, input)) this.tool.become(new Spanning(this.tool, this.#press, input));
  }

  override up(): void {
    this.tool.idle();
    const [key] = this.tool.under(this.#press);
    if (key) this.tool.toggle(key);
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.idle();
    return intent === "cancel";
  }
}

export class Spanning extends State<SelectTool> {
  override readonly name = "spanning";
  override readonly busy = true;
  readonly #from: ImagePoint;
  #to: ImagePoint;
  #found: readonly AnnotationKey[] = [];

  constructor(tool: SelectTool, press: PointerInput, input: PointerInput) {
    super(tool);
    this.#from = press.image;
    this.#to = input.image;
    this.move(input);
  }

  override get cursor(): string {
    return "crosshair";
  }

  get #marquee(): Marquee {
    const bounds = boundsOfBox(boxBetween(this.#from, this.#to));
    return { bounds, touching: this.#to.x < this.#from.x };
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, marquee: this.#marquee };
  }

  override get hints(): readonly Hint[] {
    const what = this.#marquee.touching ? "touched" : "inside; to the left: touched";
    return [
      { gesture: "Release", does: `select ${this.#found.length} ${what}` },
      { gesture: "Shift", does: "add them" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override move(input: PointerInput): void {
    this.#to = input.image;
    const { bounds, touching } = this.#marquee;
    this.#found = this.editor.within(bounds, touching);
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.tool.idle();
    const before = input.shift ? this.editor.view.selection : [];
    this.editor.select([...before, ...this.#found]);
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.idle();
    return intent === "cancel";
  }
}
