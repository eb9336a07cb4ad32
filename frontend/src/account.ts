/** Signing in again where one's session has ended, and signing out. */

import { pathTo, problemOf, succeeded, type Schemas, type Transport } from "./api/client";
import { forgetCopies } from "./forget-copies";

/** Whoever leaves waits this long for the last save; then the browser's store has it anyway. */
const LEAVE_MS = 3_000;

export interface AccountOptions {
  readonly transport: Transport;
  /** Whose page it is. */
  readonly user: { readonly id: number; readonly email: string };
  readonly signedIn: () => void;
  /** Settles when nothing is left to save. */
  readonly settled: () => Promise<void>;
  readonly say: (text: string) => void;
}

export class Account {
  readonly #options: AccountOptions;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  /** Signs the same person in again; the reason when that fails. */
  async signIn(password: string): Promise<string | null> {
    const { transport, user, signedIn } = this.#options;
    const body = { email: user.email, password } satisfies Schemas["SignIn"];
    const answer = await transport({ method: "POST", path: pathTo("/api/session"), body });
    if (!succeeded(answer)) return problemOf(answer).detail;
    if ((answer.body as Schemas["UserOut"]).id !== user.id) return "That is another account.";
    signedIn();
    return null;
  }

  async signOut(): Promise<void> {
    const { transport, settled, say } = this.#options;
    const late = new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
    await Promise.race([settled(), late]);
    const answer = await transport({ method: "DELETE", path: pathTo("/api/session") });
    if (succeeded(answer) || answer.status === 401) {
      forgetCopies(localStorage, sessionStorage);
      location.assign("/login");
    } else say(`You are still signed in. ${problemOf(answer).detail}`);
  }
}
