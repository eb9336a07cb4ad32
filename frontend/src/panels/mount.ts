/** Puts the panels into the page; resolves when the stage is there. */

import { mount } from "svelte";

import type { PageData } from "../session";
import type { Workspace } from "../workspace";
import App from "./App.svelte";

export function mountApp(
  target: HTMLElement,
  page: PageData,
  opened: Promise<Workspace>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    opened.catch(reject);
    mount(App, { target, props: { page, opened, onmounted: resolve } });
  });
}
