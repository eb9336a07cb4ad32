import { forgetCopies } from "../forget-copies";
import { confirm } from "./dialog";
import { go } from "./go";
import { refreshHead } from "./head";
import { requestJson, type Method } from "./http";
import { say, sayError } from "./toast";

/**
 * A button that sends one request: `data-method`, `data-url`, `data-body`
 * (JSON), `data-then` and `data-said` as for forms; `data-then="removed"` takes
 * the list's item away; `data-confirm` asks first; `data-forget` makes the browser
 * forget what was copied here.
 */
export function action(root: HTMLElement): void {
  const button = root as HTMLButtonElement;
  button.addEventListener("click", () => void run(button));
}

async function run(button: HTMLButtonElement): Promise<void> {
  const { method = "POST", url = "", body, then = "reload", said } = button.dataset;
  const { confirm: title, confirmText: text = "", confirmYes: yes = "Yes" } = button.dataset;
  if (title !== undefined && !(await confirm({ title, text, yes }))) return;
  button.disabled = true;
  try {
    const sent: unknown = body === undefined ? undefined : JSON.parse(body);
    const answer = await requestJson<unknown>(method as Method, url, sent);
    if (button.dataset.forget !== undefined) forgetCopies(localStorage, sessionStorage);
    if (then === "stay" && said !== undefined) say(said);
    if (then === "removed") await removed(button, said);
    else go(then, answer, said);
  } catch (error) {
    button.disabled = false;
    sayError(error);
  }
}

/** The thing is gone: take its item out of the list without losing one's place. */
async function removed(button: HTMLElement, said: string | undefined): Promise<void> {
  button.closest("li")?.remove();
  if (said !== undefined) say(said);
  await refreshHead();
}

/** A <select> of a member's role, which is saved as it is chosen. */
export function role(root: HTMLElement): void {
  const select = root as HTMLSelectElement;
  let saved = select.value;
  // One after the other, so that the role chosen last is the one that stays.
  let last = Promise.resolve();
  select.addEventListener("change", () => {
    const { url = "", email = "" } = select.dataset;
    const { value: chosen } = select;
    const name = select.selectedOptions[0]?.text.toLowerCase() ?? chosen;
    const save = (): Promise<unknown> => requestJson("PUT", url, { email, role: chosen });
    last = last.then(save).then(
      () => {
        saved = chosen;
        say(`${email} is ${name} now.`);
      },
      (error: unknown) => {
        if (select.value === chosen) select.value = saved;
        sayError(error);
      },
    );
  });
}
