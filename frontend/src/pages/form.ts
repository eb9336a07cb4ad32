import { find, findAll, show } from "./dom";
import { go } from "./go";
import { Problem, requestJson, type Method } from "./http";
import { say } from "./toast";
import { forget } from "./typed";

type Value = string | boolean;

/** The named fields of a form as a JSON object; a check box is true or false. */
export function values(form: HTMLFormElement): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (const field of form.elements) {
    const known =
      field instanceof HTMLInputElement ||
      field instanceof HTMLSelectElement ||
      field instanceof HTMLTextAreaElement;
    if (!known || field.name === "" || field.disabled) continue;
    if (field instanceof HTMLInputElement && field.type === "radio") {
      if (field.checked) found[field.name] = field.value;
    } else if (field instanceof HTMLInputElement && field.type === "checkbox") {
      found[field.name] = field.checked;
    } else {
      found[field.name] = field.value;
    }
  }
  return found;
}

/** Forget the errors of the last try. */
export function clearErrors(form: ParentNode): void {
  for (const element of findAll(form, "[data-form-error], [data-error-for]")) {
    element.textContent = "";
    show(element, false);
  }
  for (const field of findAll(form, "[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/** Show each error at its field, and what has no field above the form. */
export function showErrors(form: ParentNode, error: unknown): void {
  const rest: string[] = [];
  const errors = error instanceof Problem ? error.body.errors : [];
  for (const { loc, message } of errors) {
    const field = fieldAt(form, loc);
    const place = field && form.querySelector<HTMLElement>(`[data-error-for="${field.id}"]`);
    if (!field || !place) {
      rest.push(message);
      continue;
    }
    place.textContent = message;
    show(place, true);
    field.setAttribute("aria-invalid", "true");
  }
  if (errors.length === 0) rest.push(error instanceof Error ? error.message : String(error));
  const above = form.querySelector<HTMLElement>("[data-form-error]");
  if (above === null || rest.length === 0) return;
  above.textContent = [...new Set(rest)].join(" ");
  show(above, true);
}

function fieldAt(form: ParentNode, loc: readonly (string | number)[]): HTMLElement | null {
  const name = loc[0] === "body" ? loc[1] : undefined;
  return typeof name === "string" ? form.querySelector(`[name="${CSS.escape(name)}"]`) : null;
}

/**
 * Run `work` while the form's buttons wait, and show what goes wrong in it. Where it says that the
 * page is about to be left they go on waiting until it is, so that nothing is sent twice.
 */
export async function submitting(form: HTMLElement, work: () => Promise<boolean>): Promise<void> {
  const buttons = findAll<HTMLButtonElement>(form, "button:not([type=button])");
  clearErrors(form);
  for (const button of buttons) button.disabled = true;
  form.setAttribute("aria-busy", "true");
  const ready = (): void => {
    form.removeAttribute("aria-busy");
    for (const button of buttons) button.disabled = false;
  };
  try {
    // The browser may keep the page that is left and show it again.
    if (!(await work())) return ready();
    forget(form);
    addEventListener("pagehide", ready, { once: true });
  } catch (error) {
    ready();
    showErrors(form, error);
  }
}

/**
 * Sends a form as JSON: `action` and `data-method` say where to, `data-then`
 * what follows (see go.ts), `data-said` what to tell afterwards. With
 * `data-typed` the button works only while that text stands in the field
 * `data-typed-name`.
 */
export function form(root: HTMLElement): void {
  const element = root as HTMLFormElement;
  const { method = "POST", then = "reload", said, typed } = element.dataset;
  if (typed !== undefined) requireTyped(element, typed);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    void submitting(element, async () => {
      const body = method === "DELETE" ? undefined : values(element);
      // The attribute, because a field named "action" would stand in for the property.
      const url = element.getAttribute("action") ?? "";
      const answer = await requestJson<unknown>(method as Method, url, body);
      if (then === "stay") forget(element);
      if (then === "stay" && said !== undefined) say(said);
      return go(then, answer, said);
    });
  });
}

function requireTyped(element: HTMLFormElement, text: string): void {
  const field = find<HTMLInputElement>(element, "[data-typed-name]");
  const button = find<HTMLButtonElement>(element, "button");
  field.addEventListener("input", () => {
    button.disabled = field.value.trim() !== text;
  });
}
