/**
 * Follows the annotations of one image and keeps the list of what may be wrong.
 *
 * A worker looks while nobody waits: one request at a time, with what changed
 * since the last one, and none during a gesture. One that has had nothing to do
 * for a while is ended, since it takes as much memory as all that it was told;
 * the next change starts another one, which is told everything bit by bit, so
 * that no frame is late for it.
 */

import * as cameras from "../geometry/camera";
import { pack, unpacked, type Packed } from "../model/packed";
import type { Annotation, AnnotationKey } from "../model/records";
import { isMask, measures, rememberMeasures, withoutPixels, type Measures } from "../shapes";
import type { Command } from "./commands";
import type { Editor } from "./editor";
import { PROBLEMS, type InspectedImage, type Problem, type ProblemKind } from "./problems";

/** What changed since the last request; null for what is gone. */
export interface InspectionRequest {
  readonly keys: readonly AnnotationKey[];
  /** Of masks only that they are some. */
  readonly packed: Packed;
  /** Those of masks, which are known here: another copy of their runs would be the most that the worker holds. */
  readonly measures: readonly (Measures | null)[];
  readonly image: InspectedImage;
  /** Not all of it: no answer is wanted yet. */
  readonly more: boolean;
}

/** Calls `found` with all that is told; null for what is gone. */
export function eachTold(
  { keys, packed, measures }: InspectionRequest,
  found: (key: AnnotationKey, annotation: Annotation | null) => void,
): void {
  let i = 0;
  for (const annotation of unpacked(packed)) {
    if (annotation && measures[i]) rememberMeasures(annotation, measures[i]!);
    found(keys[i++]!, annotation);
  }
}

/** What `Worker` has of a worker; tests give one that answers at once. */
export interface Inspector {
  onmessage: ((event: MessageEvent<readonly Problem[]>) => void) | null;
  postMessage(request: InspectionRequest, transfer: Transferable[]): void;
  terminate(): void;
}

/** So long without a change, and the worker is ended. */
const SPARE_MS = 60_000;
/** So many are put together for the worker at once: some milliseconds, if they are polygons. */
const MOST_AT_ONCE = 250;

const KINDS = Object.keys(PROBLEMS) as ProblemKind[];

export class Inspection {
  readonly #editor: Editor;
  readonly #refused: () => ReadonlyMap<AnnotationKey, string>;
  readonly #outdated = new Set<AnnotationKey>();
  readonly #listeners = new Set<() => void>();
  /** Starts a worker; null while nobody looks at this image. */
  #start: (() => Inspector) | null = null;
  #inspector: Inspector | null = null;
  /** The clock that runs until the worker is told more, or is ended. */
  #clock: ReturnType<typeof setTimeout> | undefined;
  #asked = false;
  #found: readonly Problem[] = [];
  #shown: Problem | null = null;
  #stop: (() => void)[] = [];

  constructor(editor: Editor, refused: () => ReadonlyMap<AnnotationKey, string>) {
    this.#editor = editor;
    this.#refused = refused;
  }

  /** Begins to look; the function it gives ends that. */
  follow(start: () => Inspector): () => void {
    const { document, signal } = this.#editor;
    this.#start = start;
    this.#stop = [
      document.subscribe((diff) => {
        for (const { key } of diff) this.#outdated.add(key);
        this.#ask();
      }),
      signal.on(["settled", "categories"], () => this.#ask()),
    ];
    this.#ask(true);
    return () => {
      for (const stop of this.#stop) stop();
      this.#start = null;
      this.#end();
    };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The gravest kinds first; of the same kind in the order of the image, from the top. */
  get problems(): readonly Problem[] {
    const refused = [...this.#refused().keys()].map((key): Problem => ({ key, kind: "refused" }));
    const there = [...refused, ...this.#found].filter(({ key }) => this.#editor.document.get(key));
    return there.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || this.#top(a.key) - this.#top(b.key));
  }

  /** The one that was gone to last. */
  get shown(): Problem | null {
    return this.#shown;
  }

  /** Selects what the next problem is about, and brings it into view. */
  go(step: 1 | -1): void {
    const { problems } = this;
    if (problems.length === 0) {
      this.#editor.say("No problems are found on this image.");
      return;
    }
    const at = problems.findIndex((problem) => this.#isShown(problem));
    const next = at < 0 ? (step > 0 ? 0 : problems.length - 1) : (at + step + problems.length) % problems.length;
    this.show(problems[next]!);
    this.#editor.say(`${PROBLEMS[problems[next]!.kind]} (${next + 1} of ${problems.length})`);
  }

  show(problem: Problem): void {
    const { key, other } = problem;
    this.#shown = problem;
    this.#editor.select(other ? [other, key] : [key]);
    this.#bringIntoView(key);
    this.#changed();
  }

  get commands(): Command[] {
    const go = (step: 1 | -1, id: string, label: string, key: string): Command => ({
      id,
      label,
      group: "Objects",
      help: "Overlaps of the same category, tiny shapes, shapes outside the image or crossing themselves, no category.",
      keys: [key],
      when: (editor) => !editor.hand.busy,
      run: () => this.go(step),
    });
    return [go(1, "next-problem", "Next problem", "."), go(-1, "previous-problem", "Previous problem", ",")];
  }

  /** The list is made anew with every look: a problem is known by what it says. */
  #isShown({ key, kind, other }: Problem): boolean {
    const shown = this.#shown;
    return shown !== null && shown.key === key && shown.kind === kind && shown.other === other;
  }

  #top(key: AnnotationKey): number {
    const annotation = this.#editor.document.get(key);
    return (annotation && measures(annotation).bounds?.top) ?? 0;
  }

  /** Moves the camera only when it is needed: the shape is out of sight, or too small to see. */
  #bringIntoView(key: AnnotationKey): void {
    const editor = this.#editor;
    const annotation = editor.document.get(key);
    const bounds = annotation && measures(annotation).bounds;
    if (!bounds) return;
    const shown = cameras.visible(editor.camera, editor.stage);
    const inside =
      bounds.left >= shown.left && bounds.top >= shown.top && bounds.right <= shown.right && bounds.bottom <= shown.bottom;
    const size = Math.max(bounds.right - bounds.left, bounds.bottom - bounds.top);
    if (inside && size * editor.camera.scale >= 16) return;
    editor.moveCamera(cameras.around(bounds, editor.stage, editor.camera.scale));
  }

  #ask(first = false): void {
    const editor = this.#editor;
    if (!this.#start || this.#asked || editor.history.open) return;
    if (!first && this.#outdated.size === 0) return;
    clearTimeout(this.#clock);
    this.#inspector ??= this.#started(this.#start);
    const keys = [...this.#outdated].slice(0, MOST_AT_ONCE);
    for (const key of keys) this.#outdated.delete(key);
    const annotations = keys.map((key) => editor.document.get(key));
    const packed = pack(annotations.map((annotation) => annotation && withoutPixels(annotation)));
    const known = annotations.map((annotation) => (annotation && isMask(annotation.segmentation) ? measures(annotation) : null));
    const { width, height } = editor.image;
    const categoryIds = new Set(editor.categories.map(({ id }) => id));
    const more = this.#outdated.size > 0;
    const image = { width, height, categoryIds };
    this.#inspector.postMessage({ keys, packed, measures: known, image, more }, [packed.numbers.buffer]);
    this.#asked = !more;
    if (more) this.#clock = setTimeout(() => this.#ask());
  }

  /** One that knows nothing yet. */
  #started(start: () => Inspector): Inspector {
    const inspector = start();
    for (const [key] of this.#editor.document.entries()) this.#outdated.add(key);
    inspector.onmessage = ({ data }) => {
      this.#asked = false;
      this.#found = data;
      this.#changed();
      this.#ask();
      if (!this.#asked && this.#outdated.size === 0) this.#clock = setTimeout(() => this.#end(), SPARE_MS);
    };
    return inspector;
  }

  #end(): void {
    clearTimeout(this.#clock);
    if (this.#inspector) {
      // An answer may be on its way.
      this.#inspector.onmessage = null;
      this.#inspector.terminate();
    }
    this.#inspector = null;
    this.#asked = false;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
