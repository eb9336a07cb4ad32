/** Commands about the image as a whole, and about the way from one to the next. */

import type { Command } from "./editor/commands";
import type { Editor } from "./editor/editor";
import type { ImageStatus } from "./model/records";
import type { ViewPreferences } from "./view-preferences";

export function imageCommands(setStatus: (status: ImageStatus) => Promise<boolean>): Command[] {
  const mark = (status: ImageStatus, id: string, label: string, key: string): Command => ({
    id,
    label,
    group: "Image",
    help: "Sets the status that the grid shows and filters by.",
    keys: [key],
    when: (editor) => !editor.readOnly && editor.image.status !== status,
    run: () => void setStatus(status),
  });
  return [
    mark("done", "mark-done", "Mark the image done", "Mod+Enter"),
    mark("empty", "mark-empty", "Mark the image: nothing here", "Mod+Shift+Enter"),
    mark("in_progress", "mark-in-progress", "Mark the image in progress", "Alt+Enter"),
    mark("new", "mark-new", "Mark the image new", "Alt+Shift+Enter"),
  ];
}

export function pageCommands(retry: () => void, preferences: ViewPreferences): Command[] {
  return [
    {
      id: "save",
      label: "Save now what is not saved yet",
      group: "Image",
      help: "Everything else is saved already.",
      keys: ["Mod+S"],
      run: retry,
    },
    {
      id: "keep-view",
      label: "Keep zoom and position on the next image",
      group: "View",
      help: "For series of pictures of the same place; otherwise each image is shown whole.",
      keys: [],
      run: (editor) => toggleKeepView(editor, preferences),
    },
  ];
}

function toggleKeepView(editor: Editor, preferences: ViewPreferences): void {
  const kept = !preferences.get("keepView");
  preferences.set("keepView", kept);
  editor.say(kept ? "The next image keeps zoom and position." : "The next image is shown whole.");
}
