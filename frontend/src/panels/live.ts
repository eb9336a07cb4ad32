/**
 * The bridge from the editor's signals to Svelte.
 *
 * Calling `live.document()` inside a template or `$derived` says: run again when
 * the document changes. What changed is looked up in the editor itself, so no
 * annotation is ever wrapped in a reactive proxy. Updates come once per frame at
 * most, however many pointer events there were.
 */

import { createSubscriber } from "svelte/reactivity";

import type { GoneImage } from "../earlier-changes";
import type { Topic } from "../editor/editor";
import type { UnsavedImage } from "../elsewhere";
import type { Session } from "../session";
import type { Workspace } from "../workspace";

type Dependency = () => void;

/** As long as a number that changes all the time stays as it is. */
const READING_MS = 100;

function perFrame(update: () => void): { ask: () => void; stop: () => void } {
  let asked = 0;
  return {
    ask: () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        update();
      });
    },
    stop: () => cancelAnimationFrame(asked),
  };
}

/** For numbers that change with each frame: nobody can read them so fast, and they have to be painted. */
function unhurried(update: () => void): ReturnType<typeof perFrame> {
  let asked = 0;
  return {
    ask: () => {
      asked ||= window.setTimeout(() => {
        asked = 0;
        update();
      }, READING_MS);
    },
    stop: () => clearTimeout(asked),
  };
}

function dependency(connect: (ask: () => void) => () => void, pace = perFrame): Dependency {
  return createSubscriber((update) => {
    const { ask, stop } = pace(update);
    const disconnect = connect(ask);
    return () => {
      disconnect();
      stop();
    };
  });
}

/** The session on the stage; whoever asks runs again when it is another one. */
export function sessionOf(workspace: Workspace): () => Session {
  // At once, not with the next frame: nothing of two images may be shown together.
  const subscribe = createSubscriber((update) => workspace.signal.on(["session"], update));
  return () => {
    subscribe();
    return workspace.session;
  };
}

/** Other images that have changes left to save, and those that do not open any more. */
export function waitingElsewhere(
  workspace: Workspace,
): () => { readonly unsaved: readonly UnsavedImage[]; readonly inVain: readonly GoneImage[] } {
  const changed = dependency((ask) => workspace.signal.on(["elsewhere", "session"], ask));
  return () => {
    changed();
    return { unsaved: workspace.elsewhere.waiting, inVain: workspace.earlier.gone };
  };
}

export class Live {
  /** The annotations, between gestures: lists need not follow a drag. */
  readonly document: Dependency;
  readonly selection: Dependency;
  readonly view: Dependency;
  readonly tool: Dependency;
  readonly camera: Dependency;
  /** Camera and pointer, for numbers to read. */
  readonly reading: Dependency;
  readonly category: Dependency;
  readonly categories: Dependency;
  readonly notice: Dependency;
  readonly predictions: Dependency;
  /** The save queue, and what the server told. */
  readonly save: Dependency;
  /** What may be wrong with the annotations. */
  readonly problems: Dependency;
  /** Status, neighbours, picture. */
  readonly page: Dependency;

  constructor({ editor, queue, inspection, signal }: Session) {
    const on = (...topics: Topic[]): Dependency =>
      dependency((ask) => editor.signal.on(topics, ask));
    this.document = dependency((ask) => {
      let stale = false;
      const settle = (): void => {
        if (!stale || editor.history.open) return;
        stale = false;
        ask();
      };
      const changed = (): void => {
        stale = true;
        settle();
      };
      const stop = [editor.signal.on(["document"], changed), editor.signal.on(["settled"], settle)];
      return () => stop.forEach((each) => each());
    });
    this.selection = on("selection", "document");
    this.view = on("view");
    this.tool = on("tool");
    this.camera = on("camera");
    this.reading = dependency((ask) => editor.signal.on(["camera", "tool"], ask), unhurried);
    this.category = on("category");
    this.categories = on("categories");
    this.notice = on("notice");
    this.predictions = on("predictions");
    this.save = dependency((ask) => queue.subscribe(ask));
    this.problems = dependency((ask) => inspection.subscribe(ask));
    this.page = dependency((ask) => signal.on(["page"], ask));
  }
}
