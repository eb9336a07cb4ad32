/** How the person wants to see things in this browser, for panels at any depth. */

import { getContext, setContext } from "svelte";

import type { ViewPreferences } from "../view-preferences";

const CONTEXT = Symbol("view preferences");

export const provideViewPreferences = (preferences: ViewPreferences): ViewPreferences =>
  setContext(CONTEXT, preferences);

export const useViewPreferences = (): ViewPreferences => getContext<ViewPreferences>(CONTEXT);
