/** How objects are drawn and listed, as commands on what the account keeps. */

import type { Command } from "../editor/commands";
import type { Look } from "../editor/look";
import type { AccountSettings, ViewChoices } from "./account-settings";

export const lookOf = (view: ViewChoices): Look => ({
  colorBy: view.color_by,
  fillOpacity: view.fill_opacity,
  outlineOnly: view.outline_only,
  labels: view.labels,
});

export function lookCommands(settings: AccountSettings): Command[] {
  const set = (change: Partial<ViewChoices>): void => void settings.change({ view: change });
  return [
    {
      id: "color-by",
      label: "Colour by category or by object",
      group: "View",
      help: "One colour for each object tells apart those of the same category.",
      keys: ["Shift+C"],
      run: () => set({ color_by: settings.view.color_by === "category" ? "instance" : "category" }),
    },
    {
      id: "outline-only",
      label: "Outlines only, or filled",
      group: "View",
      help: "Without a fill the image below is seen as it is.",
      keys: ["Shift+O"],
      run: () => set({ outline_only: !settings.view.outline_only }),
    },
    {
      id: "labels-on-image",
      label: "Labels on the image, or none",
      group: "View",
      help: "The name of its category beside each object that is large enough.",
      keys: ["Shift+T"],
      run: () => set({ labels: !settings.view.labels }),
    },
    {
      id: "group-objects",
      label: "Group the list of objects by category, or not",
      group: "Objects",
      help: "In a grouped list the left and right arrow keys fold and unfold.",
      keys: [],
      run: () => set({ group_objects: !settings.view.group_objects }),
    },
  ];
}
