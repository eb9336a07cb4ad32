import { shares, takeBatch, type Pick } from "./files";
import type { Problem} from "./http";
import { problemFrom, proof } from "./http";

/** A file that the server would not take, or a file of a zip. */
export interface Rejected {
  readonly file_name: string;
  readonly code: string;
  readonly message: string;
}

interface Answer {
  readonly images: readonly unknown[];
  readonly rejected: readonly Rejected[];
}

/** What a view of the uploads is told. */
export interface Watcher {
  /** A file goes out, `share` of it has gone (0 to 1). */
  moving(pick: Pick, share: number): void;
  /** The server has a file; `rejected` says why it refused it, when it did. */
  arrived(pick: Pick, rejected: Rejected | undefined): void;
  /** A file could not be sent. */
  lost(pick: Pick, problem: Problem): void;
  /** Something changed in the totals. */
  progress(totals: Totals): void;
  /** Nothing is left to send. */
  finished(totals: Totals): void;
}

/** Where all uploads together are. */
export interface Totals {
  bytes: number;
  sent: number;
  files: number;
  images: number;
  rejected: Rejected[];
  lost: Pick[];
}

const AT_ONCE = 2;

function noTotals(): Totals {
  return { bytes: 0, sent: 0, files: 0, images: 0, rejected: [], lost: [] };
}

/**
 * Sends files in batches, two at a time, each batch as one request: a batch
 * that fails takes nothing else along, and what has arrived stays.
 */
export class Uploader {
  private queue: Pick[] = [];
  private running = new Set<XMLHttpRequest>();
  private totals = noTotals();
  private subset = "";

  constructor(
    private readonly url: string,
    private readonly watcher: Watcher,
  ) {}

  get busy(): boolean {
    return this.running.size > 0 || this.queue.length > 0;
  }

  /** Send these, too. */
  add(picks: readonly Pick[], subset: string): void {
    if (!this.busy) this.totals = noTotals();
    this.subset = subset;
    this.queue.push(...picks);
    this.totals.files += picks.length;
    this.totals.bytes += picks.reduce((sum, pick) => sum + pick.file.size, 0);
    this.watcher.progress(this.totals);
    this.pump();
  }

  /** Send what was lost once more. */
  retry(): void {
    const again = this.totals.lost;
    this.add(again, this.subset);
  }

  /** Stop; what has arrived stays. */
  cancel(): void {
    this.queue = [];
    for (const request of this.running) request.abort();
  }

  private pump(): void {
    while (this.running.size < AT_ONCE && this.queue.length > 0) this.send(takeBatch(this.queue));
  }

  private send(batch: readonly Pick[]): void {
    const request = new XMLHttpRequest();
    const sizes = batch.map((pick) => pick.file.size);
    const size = sizes.reduce((sum, each) => sum + each, 0);
    let counted = 0;
    const count = (loaded: number): void => {
      this.totals.sent += loaded - counted;
      counted = loaded;
      this.watcher.progress(this.totals);
    };
    request.upload.onprogress = (event): void => {
      // The request is a little longer than its files: their headers go along.
      const loaded = event.total === 0 ? 0 : (size * event.loaded) / event.total;
      for (const [index, share] of shares(sizes, loaded).entries()) this.watcher.moving(batch[index]!, share);
      count(loaded);
    };
    request.onload = (): void => this.arrived(batch, request);
    request.onerror = (): void => this.lost(batch, problemFrom(0, ""));
    request.onloadend = (): void => {
      count(size);
      this.running.delete(request);
      this.pump();
      if (!this.busy) this.watcher.finished(this.totals);
    };
    request.open("POST", this.url);
    for (const [name, value] of Object.entries(proof())) request.setRequestHeader(name, value);
    this.running.add(request);
    request.send(this.form(batch));
  }

  private form(batch: readonly Pick[]): FormData {
    const form = new FormData();
    // Before the files: the server reads the parts as they come.
    if (this.subset !== "") form.append("subset", this.subset);
    for (const pick of batch) form.append("files", pick.file, pick.name);
    return form;
  }

  private arrived(batch: readonly Pick[], request: XMLHttpRequest): void {
    if (request.status !== 201) {
      this.lost(batch, problemFrom(request.status, request.responseText));
      return;
    }
    const answer = JSON.parse(request.responseText) as Answer;
    this.totals.images += answer.images.length;
    this.totals.rejected.push(...answer.rejected);
    for (const pick of batch) {
      this.watcher.arrived(pick, answer.rejected.find((one) => one.file_name === pick.name));
    }
  }

  private lost(batch: readonly Pick[], problem: Problem): void {
    this.totals.lost.push(...batch);
    for (const pick of batch) this.watcher.lost(pick, problem);
  }
}
