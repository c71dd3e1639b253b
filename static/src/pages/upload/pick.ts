/** Files out of a drop or a file chooser, folders walked to the bottom. */

export interface Picked {
  path: string;
  file: File;
}

/** How many files are handed on at once, so that a folder of thousands shows life at once. */
const BATCH = 200;

/** The entries must be taken while the drop event runs; the browser empties the list after it. */
export function entriesOf(transfer: DataTransfer): FileSystemEntry[] {
  return [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
}

export async function walk(entries: FileSystemEntry[], found: (files: Picked[]) => void): Promise<void> {
  let batch: Picked[] = [];
  const ahead = [...entries];
  for (let entry = ahead.shift(); entry; entry = ahead.shift()) {
    if (entry.isDirectory) ahead.unshift(...(await children(entry as FileSystemDirectoryEntry)));
    else batch.push({ path: entry.fullPath.replace(/^\//, ''), file: await fileOf(entry as FileSystemFileEntry) });
    if (batch.length >= BATCH) {
      found(batch);
      batch = [];
    }
  }
  found(batch);
}

/** `readEntries` gives at most some hundred at a time; an empty answer is the end. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject));

export function chosen(files: FileList): Picked[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}
