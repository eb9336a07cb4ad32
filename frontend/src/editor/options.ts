/**
 * What a tool can be set to, declared as data.
 *
 * A tool lists its options in its info; the strip of options, the commands with
 * their keys, and what is remembered for the person follow from the list. Two
 * tools that list the same option share its value.
 */

import type { Command } from "./commands";
import type { ToolInfo } from "./hand";

interface Common {
  /** Names the value in the browser's store, such as `brush-size`. */
  readonly id: string;
  readonly label: string;
  /** One sentence, for the tooltip. */
  readonly help: string;
}

/** One of several. Its key goes on to the next one. */
export interface Choice<V extends string = string> extends Common {
  readonly kind: "choice";
  readonly values: readonly { readonly value: V; readonly label: string }[];
  readonly initial: V;
  readonly key?: string;
}

/** A number. Its keys make it smaller and larger. */
export interface Range extends Common {
  readonly kind: "range";
  readonly min: number;
  readonly max: number;
  /** Values are whole multiples of it, counted from `min`. */
  readonly step: number;
  /** Steps of keys grow with the value, and the slider has more room for small values. */
  readonly geometric?: boolean;
  readonly unit: string;
  readonly initial: number;
  readonly keys?: readonly [smaller: string, larger: string];
}

export interface Toggle extends Common {
  readonly kind: "toggle";
  readonly initial: boolean;
  readonly key?: string;
}

export type ToolOption = Choice | Range | Toggle;

type ValueOf<O extends ToolOption> = O extends Choice
  ? O["values"][number]["value"]
  : O extends Range
    ? number
    : boolean;

const KEY_STEPS_PER_DOUBLING = 4;

/** The value that a person, or the store, asks for, made one that the option has. */
function admitted(option: ToolOption, value: unknown): string | number | boolean {
  if (option.kind === "toggle") return typeof value === "boolean" ? value : option.initial;
  if (option.kind === "choice") {
    return option.values.find((each) => each.value === value)?.value ?? option.initial;
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return option.initial;
  const { min, max, step } = option;
  const stepped = min + Math.round((value - min) / step) * step;
  // Steps such as 0.1 would leave digits behind that nobody chose.
  return Number(Math.min(max, Math.max(min, stepped)).toPrecision(12));
}

/** The value after a key: at least one step away, a fifth of the value where steps grow. */
export function stepped(option: Range, value: number, direction: -1 | 1): number {
  const factor = 2 ** (direction / KEY_STEPS_PER_DOUBLING);
  const grown = option.geometric ? value * factor : value;
  const away = Math.max(option.step, Math.abs(grown - value));
  return admitted(option, value + direction * away) as number;
}

/** Where a value lies on a slider from 0 to 1000, and back. */
export function toSlider({ min, max, geometric }: Range, value: number): number {
  const share = geometric ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
  return Math.round(share * 1000);
}

export function fromSlider(option: Range, place: number): number {
  const { min, max, geometric } = option;
  const share = place / 1000;
  const value = geometric ? min * (max / min) ** share : min + share * (max - min);
  return admitted(option, value) as number;
}

/** The values that the person has chosen; everything else is as declared. */
export class OptionValues {
  readonly #chosen = new Map<string, unknown>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get<O extends ToolOption>(option: O): ValueOf<O> {
    return admitted(option, this.#chosen.get(option.id)) as ValueOf<O>;
  }

  set<O extends ToolOption>(option: O, value: ValueOf<O>): void {
    this.#chosen.set(option.id, admitted(option, value));
    this.#changed();
  }

  /** Everything that was chosen, for the store. */
  get chosen(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#chosen);
  }

  /** What an earlier visit chose. Values that no option has any more do no harm. */
  restore(chosen: unknown): void {
    if (typeof chosen !== "object" || chosen === null) return;
    for (const [id, value] of Object.entries(chosen)) this.#chosen.set(id, value);
    this.#changed();
  }
}

/** A command for each key of each option, which works while a tool with the option is in hand. */
export function optionCommands(tools: readonly ToolInfo[]): Command[] {
  const options = new Map(tools.flatMap((tool) => (tool.options ?? []).map((o) => [o.id, o])));
  const inHand = (id: string): Pick<Command, "when"> => ({
    when: ({ hand }) => hand.options.some((option) => option.id === id),
  });
  return [...options.values()].flatMap((option) =>
    commandsOf(option).map((command) => ({ ...command, ...inHand(option.id) })),
  );
}

function commandsOf(option: ToolOption): Command[] {
  const { id, label, help } = option;
  const common = { group: "Tools", help } as const;
  if (option.kind === "range") return rangeCommands(option);
  const keys = option.key ? [option.key] : [];
  if (option.kind === "toggle") {
    const run: Command["run"] = ({ options }) => options.set(option, !options.get(option));
    return [{ ...common, id, label: `${label}: on or off`, keys, run }];
  }
  const run: Command["run"] = ({ options }) => {
    const at = option.values.findIndex(({ value }) => value === options.get(option));
    options.set(option, option.values[(at + 1) % option.values.length]!.value);
  };
  return [{ ...common, id, label: `${label}: the next one`, keys, run }];
}

function rangeCommands(option: Range): Command[] {
  const sizes = [
    ["smaller", -1],
    ["larger", 1],
  ] as const;
  return sizes.map(([word, direction], i) => ({
    id: `${option.id}-${word}`,
    label: `${option.label}: ${word}`,
    group: "Tools",
    help: option.help,
    keys: option.keys ? [option.keys[i]!] : [],
    together: `${option.label}: smaller, larger`,
    run: ({ options }) => options.set(option, stepped(option, options.get(option), direction)),
  }));
}
