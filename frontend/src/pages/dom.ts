/** Small helpers for documents that the server rendered. */

/** The one element that must be there; a missing one is our own mistake. */
export function find<E extends Element = HTMLElement>(root: ParentNode, selector: string): E {
  const element = root.querySelector<E>(selector);
  if (element === null) throw new Error(`The page lacks ${selector}.`);
  return element;
}

export function findAll<E extends Element = HTMLElement>(root: ParentNode, selector: string): E[] {
  return [...root.querySelectorAll<E>(selector)];
}

/** A copy of what the template with this id holds. */
export function instantiate<E extends Element = HTMLElement>(id: string): E {
  const template = find<HTMLTemplateElement>(document, `template#${id}`);
  const element = template.content.firstElementChild;
  if (element === null) throw new Error(`The template ${id} is empty.`);
  return element.cloneNode(true) as E;
}

/** Show or hide. */
export function show(element: Element, shown: boolean): void {
  (element as HTMLElement).hidden = !shown;
}

/** Show one of the steps inside an element: those with the attribute data-step. */
export function showStep(root: ParentNode, name: string): void {
  for (const step of findAll(root, "[data-step]")) show(step, step.dataset["step"] === name);
}

const NUMBERS = new Intl.NumberFormat("en");

/** 1068 as 1,068, as the server writes it. */
export function number(value: number): string {
  return NUMBERS.format(value);
}

/** `1 image`, `1,068 images`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** Run `work` once nothing has called for `milliseconds`. */
export function debounce(milliseconds: number, work: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}
