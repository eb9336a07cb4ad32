/** Puts the panels into the page; resolves when the stage is there. */

import { mount } from "svelte";

import type { Preferences } from "../api/preferences";
import type { PageData, Session } from "../session";
import App from "./App.svelte";

export function mountApp(
  target: HTMLElement,
  page: PageData,
  opened: Promise<Session>,
  preferences: Preferences,
): Promise<void> {
  return new Promise((resolve, reject) => {
    opened.catch(reject);
    mount(App, { target, props: { page, opened, preferences, onmounted: resolve } });
  });
}
