/** The entry of the editor page. */

import "./styles/tokens.css";
import "./styles/editor.css";
import "./styles/editor-panels.css";
import "./styles/editor-predictions.css";
import "./styles/editor-display.css";
import "./styles/editor-live.css";
import "./styles/editor-options.css";
import "./styles/editor-keypoints.css";
import "./styles/editor-notes.css";
import "./styles/editor-oddities.css";
import "./styles/editor-commands.css";
import "./styles/editor-rail.css";
import "./styles/editor-lists.css";
import "./styles/editor-properties.css";
import "./styles/editor-problems.css";

import type { Size } from "./geometry/camera";
import { mountApp } from "./panels/mount";
import RasterWorker from "./render/raster.worker?worker";
import type { PageData } from "./session";
import { Workspace } from "./workspace";

declare global {
  interface Window {
    maskwright?: { readonly editor: EditorScript };
  }
}

/** What scripts on the page may use; see "Pages" in the documentation. */
interface EditorScript {
  /** Resolves when the image that was last asked for and its annotations are shown. */
  readonly ready: Promise<void>;
  /** A point of the image, in CSS pixels of the window. */
  imageToClient(x: number, y: number): { x: number; y: number };
  /** The active tool and what the hand is doing, such as `polygon.drawing`. */
  readonly tool: string;
  /** Plain copies of the annotations, as the API shows them. */
  readonly annotations: object[];
  /** Settles when nothing is left to save. */
  readonly saved: Promise<void>;
}

function pageData(): PageData {
  const block = document.getElementById("maskwright-page");
  return JSON.parse(block?.textContent ?? "null") as PageData;
}

/** The place of the stage in the page that waits for its data; null where it depends on what comes around it. */
function emptyStage(target: HTMLElement): Size | null {
  const stage = target.querySelector("[data-place]");
  return stage && { width: stage.clientWidth, height: stage.clientHeight };
}

function start(): void {
  const target = document.getElementById("app")!;
  const page = pageData();
  let workspace: Workspace | null = null;
  // Started now, it is there when the annotations are.
  const early = { worker: new RasterWorker(), stage: () => emptyStage(target) };
  const opened = Workspace.open(page, early).then((done) => (workspace = done));
  const mounted = mountApp(target, page, opened);

  const open = (): Workspace => {
    if (!workspace) throw new Error("The editor is not ready; wait for maskwright.editor.ready.");
    return workspace;
  };
  const ready = mounted.then(() => open().ready);
  // The page itself says when it cannot open; only who asks needs to hear it here.
  ready.catch(() => undefined);
  window.maskwright = {
    editor: {
      get ready() {
        // Another one for each image that is gone to.
        return workspace ? mounted.then(() => open().ready) : ready;
      },
      imageToClient: (x, y) => open().session.imageToClient(x, y),
      get tool() {
        return open().session.editor.hand.path;
      },
      get annotations() {
        return open().session.annotations;
      },
      get saved() {
        return workspace ? workspace.settled() : ready.then(() => open().settled());
      },
    },
  };
}

start();
