import { confirm } from "./dialog";
import { find } from "./dom";
import { submitting, values } from "./form";
import { go } from "./go";
import { requestJson } from "./http";

interface Outcome {
  readonly changed: number;
  readonly skipped: readonly unknown[];
  readonly next_cursor: string | null;
}

/**
 * A form that decides about all open predictions of a set by their scores. The
 * button that was pressed says whether those from the score on are accepted or
 * those below it rejected.
 */
export function decide(root: HTMLElement): void {
  const form = root as HTMLFormElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const verb = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "accept";
    void submitting(form, () => run(form, verb));
  });
}

async function run(form: HTMLFormElement, verb: string): Promise<boolean> {
  const { url = "", score = "" } = values(form) as Record<string, string>;
  const name = find<HTMLSelectElement>(form, "select").selectedOptions[0]?.text ?? "";
  const accept = verb === "accept";
  const title = accept
    ? `Accept what ${name} found with a score from ${score} on?`
    : `Reject what ${name} found with a score below ${score}?`;
  const text = accept
    ? "Every open prediction of all images with such a score becomes an annotation."
    : "Every open prediction of all images with such a score is put aside.";
  if (!(await confirm({ title, text, yes: accept ? "Accept them" : "Reject them" }))) return false;
  const range = accept ? { min_score: Number(score) } : { max_score: Number(score) };
  const { changed, skipped } = await all(`${url}/${verb}`, range);
  const left = skipped > 0 ? ` ${count(skipped)} could not be and stay open.` : "";
  return go("reload", null, `${count(changed)} ${accept ? "accepted" : "rejected"}.${left}`);
}

/** Some hundreds at a time, until there are no more. */
async function all(url: string, range: object): Promise<{ changed: number; skipped: number }> {
  const sum = { changed: 0, skipped: 0 };
  let cursor: string | null = null;
  do {
    const outcome: Outcome = await requestJson<Outcome>("POST", url, { ...range, cursor });
    sum.changed += outcome.changed;
    sum.skipped += outcome.skipped.length;
    cursor = outcome.next_cursor;
  } while (cursor !== null);
  return sum;
}

const count = (number: number): string =>
  `${number.toLocaleString("en")} ${number === 1 ? "prediction" : "predictions"}`;
