import { find, findAll } from "./dom";
import { clearErrors, submitting } from "./form";
import { requestJson } from "./http";
import type { Edge } from "./skeleton";
import { SkeletonEditor } from "./skeleton-editor";
import { sayNext } from "./toast";

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

  constructor(private readonly dialog: HTMLDialogElement) {
    this.form = find(dialog, "form");
    this.skeleton = new SkeletonEditor(find(dialog, "[data-keypoints]"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void submitting(this.form, () => this.save());
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
    if (this.edited === undefined) {
      await requestJson("POST", this.dialog.dataset["url"] ?? "", all);
      sayNext(`${all.name} was added.`);
    } else {
      const changes = changed(this.edited, all);
      if (Object.keys(changes).length > 0) {
        await requestJson("PATCH", `/api/categories/${this.edited.id}`, changes);
        sayNext(`${all.name} was changed.`);
      }
    }
    this.dialog.close();
    location.reload();
    return true;
  }
}

/** The members that differ: what nobody edited keeps its imported text. */
export function changed<T extends object>(before: T, after: Partial<T>): Partial<T> {
  const differing = Object.entries(after).filter(
    ([key, value]) => JSON.stringify(before[key as keyof T]) !== JSON.stringify(value),
  );
  return Object.fromEntries(differing) as Partial<T>;
}
