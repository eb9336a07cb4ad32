/** How a person wants to see images: kept in this browser, per account, and nowhere else. */

export interface ViewValues {
  /** The next image is shown with the zoom and the place of the last one. */
  readonly keepView: boolean;
  /** Parts of the panel that were folded or unfolded by their heading. */
  readonly openParts: Readonly<Record<string, boolean>>;
}

const DEFAULTS: ViewValues = { keepView: false, openParts: {} };

export class ViewPreferences {
  readonly #key: string;
  #values: ViewValues;

  constructor(userId: number) {
    this.#key = `maskwright-view-${userId}`;
    this.#values = { ...DEFAULTS, ...stored(this.#key) };
  }

  get<Name extends keyof ViewValues>(name: Name): ViewValues[Name] {
    return this.#values[name];
  }

  set<Name extends keyof ViewValues>(name: Name, value: ViewValues[Name]): void {
    this.#values = { ...this.#values, [name]: value };
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#values));
    } catch {
      // A full or closed store: it holds as long as the page then.
    }
  }
}

function stored(key: string): Partial<ViewValues> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
