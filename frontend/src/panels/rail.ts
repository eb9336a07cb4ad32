/** Which tools the rail shows when it has room for so many: data in, two lists out. */

import type { ToolInfo } from "../editor/hand";

export interface RailTools {
  readonly shown: readonly ToolInfo[];
  /** In the menu behind the last place. */
  readonly more: readonly ToolInfo[];
}

/** The tool in hand is always shown. `room` counts the places, the menu's among them. */
export function shownTools(tools: readonly ToolInfo[], toolId: string, room: number): RailTools {
  if (tools.length <= room) return { shown: tools, more: [] };
  const places = Math.max(1, room - 1);
  const first = tools.slice(0, places);
  const current = tools.find(({ id }) => id === toolId);
  const shown = !current || first.includes(current) ? first : [...first.slice(0, -1), current];
  return { shown, more: tools.filter((tool) => !shown.includes(tool)) };
}
