/** Commands about the image as a whole. */

import type { Command } from "./editor/commands";
import type { ImageStatus } from "./model/records";

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
