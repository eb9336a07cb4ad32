import { find, findAll, show, showStep } from "./dom";
import { clearErrors, showErrors } from "./form";
import { problemFrom, proof, requestHtml } from "./http";
import { cancelJob, follow, hasEnded, showProgress, type Job } from "./job";
import { localTimes } from "./time";
import { say, sayError } from "./toast";

let offer: ((file: File) => void) | undefined;

/** Open the import dialog with a file that was dropped on the page. */
export function offerImport(file: File): void {
  offer?.(file);
}

/** A dialog that imports annotations or mask images: choose, watch, read the report. */
export function importDialog(root: HTMLElement): void {
  new ImportDialog(root as HTMLDialogElement);
}

class ImportDialog {
  private files: readonly File[] = [];
  private readonly invitation: string;
  private request: XMLHttpRequest | undefined;
  private jobId: number | undefined;
  private stopFollowing: (() => void) | undefined;
  private readonly form: HTMLFormElement;
  private readonly bar: HTMLProgressElement;
  private readonly message: HTMLElement;

  constructor(private readonly dialog: HTMLDialogElement) {
    this.form = find(dialog, "form");
    this.bar = find(dialog, "[data-bar]");
    this.message = find(dialog, "[data-message]");
    this.invitation = find(this.form, "[data-chosen]").textContent;
    if ("offered" in dialog.dataset) this.takeOffers();
    this.bindChoice();
    find(dialog, "[data-stop]").addEventListener("click", () => void this.stop());
    find(dialog, "[data-done]").addEventListener("click", () => location.reload());
    dialog.addEventListener("close", () => this.closed());
  }

  /** Files that are dropped elsewhere on the page come here. */
  private takeOffers(): void {
    offer = (file): void => {
      if (this.request !== undefined || this.jobId !== undefined) {
        say("An import of this page is still running; import the next file when it has ended.");
        this.dialog.showModal();
        return;
      }
      this.restart();
      this.choose([file]);
      if (!this.dialog.open) this.dialog.showModal();
    };
  }

  private bindChoice(): void {
    const input = find<HTMLInputElement>(this.form, "[data-file]");
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])];
      input.value = "";
      this.choose(files);
    });
    this.dialog.addEventListener("drop", (event) => {
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      const many = find<HTMLInputElement>(this.form, "[data-file]").multiple;
      if (this.request === undefined) this.choose(many ? files : files.slice(0, 1));
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  /** What was chosen, in words. */
  private get chosen(): string {
    const [first] = this.files;
    return this.files.length === 1 ? (first?.name ?? "") : `${this.files.length} files`;
  }

  private choose(files: readonly File[]): void {
    if (files.length === 0) return;
    this.files = files;
    clearErrors(this.form);
    const chosen = find(this.form, "[data-chosen]");
    chosen.textContent = this.chosen;
    chosen.title = files.map((file) => file.name).join("\n");
    chosen.classList.add("file-chosen");
    find<HTMLButtonElement>(this.form, "[data-submit]").disabled = false;
  }

  private send(): void {
    if (this.files.length === 0) return;
    const body = new FormData();
    // The options stand before the file: the server reads the parts as they come.
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value === "string" && value.trim() !== "") body.append(name, value);
    }
    for (const file of this.files) body.append("file", file, file.webkitRelativePath || file.name);
    const request = new XMLHttpRequest();
    this.request = request;
    request.upload.onprogress = (event): void => {
      this.bar.max = event.total;
      this.bar.value = event.loaded;
    };
    request.onload = (): void => this.sent(request);
    request.onerror = (): void => this.failed(problemFrom(0, ""));
    request.onabort = (): void => this.restart();
    request.open("POST", this.dialog.dataset["url"] ?? "");
    for (const [name, value] of Object.entries(proof())) request.setRequestHeader(name, value);
    find(this.dialog, "[data-file-name]").textContent = this.chosen;
    this.message.textContent = "Sending the file";
    showStep(this.dialog, "run");
    request.send(body);
  }

  private sent(request: XMLHttpRequest): void {
    this.request = undefined;
    if (request.status !== 202) {
      this.failed(problemFrom(request.status, request.responseText));
      return;
    }
    const job = JSON.parse(request.responseText) as Job;
    this.jobId = job.id;
    showProgress(this.bar, this.message, job);
    this.stopFollowing = follow(`/api/jobs/${job.id}/events`, (now) => {
      showProgress(this.bar, this.message, now);
      if (hasEnded(now)) void this.ended(now);
    });
  }

  private failed(problem: Error): void {
    this.request = undefined;
    showStep(this.dialog, "choose");
    showErrors(this.form, problem);
    if (!this.dialog.open) sayError(problem);
  }

  private async ended(job: Job): Promise<void> {
    const report = find(this.dialog, "[data-report]");
    find<HTMLAnchorElement>(this.dialog, "[data-full]").href = `/jobs/${job.id}`;
    try {
      const part = await requestHtml(`/jobs/${job.id}/report`);
      localTimes(part);
      report.replaceChildren(part);
    } catch (error) {
      report.textContent = error instanceof Error ? error.message : String(error);
    }
    showStep(this.dialog, "report");
    this.jobId = undefined;
    if (!this.dialog.open) {
      say(`The import of ${this.chosen} has ended.`);
      this.dialog.showModal();
    }
  }

  private async stop(): Promise<void> {
    this.request?.abort();
    if (this.jobId === undefined) return;
    try {
      await cancelJob(this.jobId);
    } catch (error) {
      sayError(error);
    }
  }

  private closed(): void {
    const [report] = findAll(this.dialog, "[data-step=report]");
    // The page behind still shows what was before the import.
    if (report !== undefined && !report.hidden) location.reload();
  }

  private restart(): void {
    this.request = undefined;
    this.stopFollowing?.();
    this.files = [];
    this.form.reset();
    clearErrors(this.form);
    const chosen = find(this.form, "[data-chosen]");
    chosen.textContent = this.invitation;
    chosen.classList.remove("file-chosen");
    find<HTMLButtonElement>(this.form, "[data-submit]").disabled = true;
    showStep(this.dialog, "choose");
    show(this.form, true);
  }
}
