/** The entry of the editor page. */

import "./styles/tokens.css";
import "./styles/editor.css";
import "./styles/editor-panels.css";
import "./styles/editor-predictions.css";
import "./styles/editor-options.css";
import "./styles/editor-commands.css";
import "./styles/editor-rail.css";

import { fetchTransport } from "./api/client";
import { Preferences } from "./api/preferences";
import { mountApp } from "./panels/mount";
import { Session, type PageData } from "./session";

declare global {
  interface Window {
    maskwright?: { readonly editor: EditorScript };
  }
}

/** What scripts on the page may use; see "Pages" in the documentation. */
interface EditorScript {
  /** Resolves when image and annotations are shown. */
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

function start(): void {
  const target = document.getElementById("app")!;
  const page = pageData();
  let session: Session | null = null;
  const preferences = new Preferences(fetchTransport(fetch.bind(window), () => document.cookie));
  // Without them the page opens all the same, with the defaults.
  const opened = Promise.all([Session.open(page), preferences.load()]).then(([done]) => (session = done));
  const mounted = mountApp(target, page, opened, preferences);

  const open = (): Session => {
    if (!session) throw new Error("The editor is not ready; wait for maskwright.editor.ready.");
    return session;
  };
  const ready = mounted.then(() => open().ready);
  // The page itself says when it cannot open; only who asks needs to hear it here.
  ready.catch(() => undefined);
  window.maskwright = {
    editor: {
      ready,
      imageToClient: (x, y) => open().imageToClient(x, y),
      get tool() {
        return open().editor.hand.path;
      },
      get annotations() {
        return open().annotations;
      },
      get saved() {
        return open().queue.settled();
      },
    },
  };
}

start();
