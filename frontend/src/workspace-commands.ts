/** What concerns all images of the page: saving, and how the next one is shown. */

import type { Command } from "./editor/commands";
import type { Editor } from "./editor/editor";
import type { ViewPreferences } from "./view-preferences";

export function workspaceCommands(preferences: ViewPreferences, saveNow: () => void): Command[] {
  const toggleKeepView = (editor: Editor): void => {
    const kept = !preferences.get("keepView");
    preferences.set("keepView", kept);
    editor.say(kept ? "The next image keeps zoom and position." : "The next image is shown whole.");
  };
  return [
    {
      id: "save",
      label: "Save now what is not saved yet",
      group: "Image",
      help: "Everything else is saved already.",
      keys: ["Mod+S"],
      run: saveNow,
    },
    {
      id: "keep-view",
      label: "Keep zoom and position on the next image",
      group: "View",
      help: "For series of pictures of the same place; otherwise each image is shown whole.",
      keys: [],
      run: toggleKeepView,
    },
  ];
}
