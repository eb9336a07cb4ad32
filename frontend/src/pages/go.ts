import { sayNext } from "./toast";

/**
 * What happens after a request succeeded, as a template writes it in
 * `data-then`: "reload", "stay", or an address in which `{id}` stands for a
 * member of the answer. True when this page is about to be left.
 */
export function go(then: string, answer: unknown, said: string | undefined): boolean {
  if (said !== undefined && then !== "stay") sayNext(said);
  if (then === "reload") {
    location.reload();
  } else if (then !== "stay") {
    const members = (answer ?? {}) as Record<string, unknown>;
    location.assign(then.replace(/\{(\w+)\}/g, (_, key: string) => String(members[key])));
  }
  return then !== "stay";
}
