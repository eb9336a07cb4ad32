import { vi } from "vitest";

/** Waits until the check passes; a machine that is busy with other things takes its time. */
export const arrives = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });
