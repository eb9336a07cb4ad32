import { find, showStep } from "./dom";
import { submitting, values } from "./form";
import { requestJson } from "./http";

/** The dialog that makes an API token, and shows it this once. */
export function token(root: HTMLElement): void {
  const form = find<HTMLFormElement>(root, "form");
  const field = find<HTMLInputElement>(root, "[data-token]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submitting(form, async () => {
      const made = await requestJson<{ token: string }>("POST", "/api/tokens", values(form));
      field.value = made.token;
      showStep(root, "made");
      field.select();
      return false;
    });
  });
  root.addEventListener("close", () => {
    // The list behind lacks the new token; the token itself must not stay in the page.
    if (field.value !== "") location.reload();
    field.value = "";
  });
}
