import { find, findAll } from "./dom";
import { clearErrors, submitting } from "./form";
import { requestJson } from "./http";
import type { Edge } from "./skeleton";
import { SkeletonEditor } from "./skeleton-editor";
import { say, sayError, sayNext } from "./toast";

/** A category as the page's rows carry it: the same as from the API. */
interface Category {
  readonly id: number;
  readonly name: string;
  readonly supercategory: string | null;
  readonly color: string;
  readonly isthing: boolean;
  readonly keypoints: readonly string[];
  readonly skeleton: readonly Edge[];
  readonly annotation_count: number;
}

/** The dialog that makes and changes categories. */
export function category(root: HTMLElement): void {
  new CategoryDialog(root as HTMLDialogElement);
}

class CategoryDialog {
  private readonly form: HTMLFormElement;
  private readonly skeleton: SkeletonEditor;
  private edited: Category | undefined;
  /** Counts how often it was opened. */
  private opened = 0;
  /** The page does not show what was saved. */
  private stale = false;

  constructor(private readonly dialog: HTMLDialogElement) {
    this.form = find(dialog, "form");
    this.skeleton = new SkeletonEditor(find(dialog, "[data-keypoints]"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void submitting(this.form, () => this.save());
    });
    dialog.addEventListener("close", () => {
      if (this.stale) location.reload();
    });
    for (const button of findAll(dialog, "[data-color]")) {
      button.addEventListener("click", () => {
        this.field("color").value = button.dataset["color"] ?? "";
      });
    }
    for (const button of findAll(document, "[data-category-new]")) {
      button.addEventListener("click", () => this.open(undefined));
    }
    for (const button of findAll(document, "[data-category]")) {
      button.addEventListener("click", () => {
        this.open(JSON.parse(button.dataset["category"] ?? "") as Category);
      });
    }
  }

  private field(name: string): HTMLInputElement {
    return find<HTMLInputElement>(this.form, `[name=${name}]`);
  }

  private open(edited: Category | undefined): void {
    this.edited = edited;
    this.opened += 1;
    clearErrors(this.form);
    find(this.dialog, "h2").textContent = edited ? `Edit ${edited.name}` : "Add a category";
    find(this.dialog, "[data-save]").textContent = edited ? "Save" : "Add category";
    this.field("name").value = edited?.name ?? "";
    this.field("supercategory").value = edited?.supercategory ?? "";
    this.field("color").value = edited?.color ?? this.nextColor();
    this.field("isthing").checked = edited?.isthing ?? true;
    const names = edited?.keypoints ?? [];
    const edges = edited?.skeleton ?? [];
    this.skeleton.open({ names, edges }, (edited?.annotation_count ?? 0) > 0);
    this.dialog.showModal();
  }

  /** The first suggested colour that no category has. */
  private nextColor(): string {
    const taken = new Set(
      findAll(document, "[data-category]").map(
        (button) => (JSON.parse(button.dataset["category"] ?? "") as Category).color,
      ),
    );
    const suggested = findAll(this.dialog, "[data-color]").map((button) => button.dataset["color"] ?? "");
    return suggested.find((color) => !taken.has(color)) ?? suggested[0] ?? "#4f8cff";
  }

  private async save(): Promise<boolean> {
    const skeleton = this.skeleton.value;
    const all = {
      name: this.field("name").value,
      supercategory: this.field("supercategory").value.trim() || null,
      color: this.field("color").value,
      isthing: this.field("isthing").checked,
      keypoints: skeleton.names,
      skeleton: skeleton.edges,
    };
    const { edited, opened } = this;
    const isHere = (): boolean => this.dialog.open && opened === this.opened;
    try {
      const sent = await send(edited, all, this.dialog.dataset["url"] ?? "");
      if (!sent) {
        this.dialog.close();
        return false;
      }
    } catch (error) {
      if (isHere()) throw error;
      // It was closed meanwhile, and may be open for another one.
      sayError(new Error(`${all.name} is not saved. ${error instanceof Error ? error.message : ""}`));
      return false;
    }
    const said = `${all.name} was ${edited ? "changed" : "added"}.`;
    this.stale = true;
    if (this.dialog.open && !isHere()) {
      // What is being typed for another one stays; the page follows when that is done.
      say(said);
      return false;
    }
    sayNext(said);
    // A dialog that closes reloads the page; one that they closed meanwhile does not any more.
    if (this.dialog.open) this.dialog.close();
    else location.reload();
    return true;
  }
}

/** False for a category that nobody changed: nothing is sent of it. */
async function send(edited: Category | undefined, all: Partial<Category>, url: string): Promise<boolean> {
  const changes = edited ? changed(edited, all) : all;
  if (Object.keys(changes).length === 0) return false;
  if (edited) await requestJson("PATCH", `/api/categories/${edited.id}`, changes);
  else await requestJson("POST", url, all);
  return true;
}

/** The members that differ: what nobody edited keeps its imported text. */
export function changed<T extends object>(before: T, after: Partial<T>): Partial<T> {
  const differing = Object.entries(after).filter(
    ([key, value]) => JSON.stringify(before[key as keyof T]) !== JSON.stringify(value),
  );
  return Object.fromEntries(differing) as Partial<T>;
}
