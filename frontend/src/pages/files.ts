/**
 * Which files to send together, and under which names. Data in, data out: the
 * sending itself is in uploader.ts.
 */

/** A file and the name under which the server shall know it. */
export interface Pick {
  readonly name: string;
  readonly file: File;
}

const BATCH_FILES = 24;
const BATCH_BYTES = 32_000_000;

/**
 * The name of a file in a chosen folder: its path inside that folder, for a
 * COCO file speaks of `a.jpg` or `train/a.jpg`, not of where a person keeps them.
 */
export function nameInside(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  return (parts.length > 1 ? parts.slice(1) : parts).join("/");
}

function isZip(pick: Pick): boolean {
  return /\.zip$/i.test(pick.name);
}

export function isJson(file: File): boolean {
  return /\.json$/i.test(file.name);
}

/** Files that a system leaves in folders, which nobody means to upload. */
export function isLitter(name: string): boolean {
  const last = name.split("/").at(-1) ?? "";
  return last.startsWith(".") || last === "Thumbs.db" || last === "desktop.ini" || name.startsWith("__MACOSX/");
}

/** Take the next files off the queue: some small ones together, a zip alone. */
export function takeBatch(queue: Pick[]): Pick[] {
  const batch: Pick[] = [];
  let bytes = 0;
  while (queue.length > 0 && batch.length < BATCH_FILES) {
    const next = queue[0]!;
    const alone = isZip(next) || next.file.size > BATCH_BYTES;
    if (batch.length > 0 && (alone || bytes + next.file.size > BATCH_BYTES)) break;
    queue.shift();
    batch.push(next);
    bytes += next.file.size;
    if (alone) break;
  }
  return batch;
}

/**
 * How much of each file of a batch has gone out, between 0 and 1, when
 * `loaded` bytes of the request have: files go one after the other.
 */
export function shares(sizes: readonly number[], loaded: number): number[] {
  let left = loaded;
  return sizes.map((size) => {
    const share = size === 0 ? (left >= 0 ? 1 : 0) : Math.min(1, Math.max(0, left / size));
    left -= size;
    return share;
  });
}

/** All files behind a drop, those in dropped folders included. */
export async function droppedFiles(transfer: DataTransfer): Promise<Pick[]> {
  // Entries must be taken before the first await: afterwards the transfer is empty.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const files = [...transfer.files];
  const picks: Pick[] = [];
  for (const [index, entry] of entries.entries()) {
    if (entry?.isDirectory === true) {
      await walk(entry as FileSystemDirectoryEntry, picks);
    } else {
      const file = files[index];
      if (file !== undefined) picks.push({ name: file.name, file });
    }
  }
  return picks.filter((pick) => !isLitter(pick.name));
}

async function walk(folder: FileSystemDirectoryEntry, picks: Pick[]): Promise<void> {
  for (const entry of await readAll(folder.createReader())) {
    if (entry.isDirectory) {
      await walk(entry as FileSystemDirectoryEntry, picks);
    } else {
      const file = await new Promise<File>((resolve, reject) => {
        (entry as FileSystemFileEntry).file(resolve, reject);
      });
      picks.push({ name: nameInside(entry.fullPath), file });
    }
  }
}

/** A reader hands out at most a hundred entries at a time. */
async function readAll(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return found;
    found.push(...some);
  }
}

/** The files of an <input type=file>, a folder's or single ones. */
export function chosenFiles(input: HTMLInputElement): Pick[] {
  const picks = [...(input.files ?? [])].map((file) => ({
    name: file.webkitRelativePath === "" ? file.name : nameInside(file.webkitRelativePath),
    file,
  }));
  input.value = "";
  return picks.filter((pick) => !isLitter(pick.name));
}
