/** The upload queue: what is to be sent, three at a time, and what became of each file. Knows no page. */

import { signal } from '@preact/signals';

import { ApiError } from '../../api/http';
import type { StoreOutcome } from '../../api/stow';
import type { Picked } from './pick';
import { HEAD_BYTES, looksLikeDicom, skipByName, type Skip } from './sniff';

export type Status = 'waiting' | 'sending' | 'skipped' | 'failed' | StoreOutcome['kind'];

/** Never changed in place: a change puts a new one at the same index, so that its row is drawn again. */
export interface Item {
  readonly id: number;
  readonly path: string;
  readonly file: File;
  readonly status: Status;
  readonly sentBytes: number;
  readonly attempts: number;
  readonly skip: Skip | null;
  /** What the archive noticed, or why it refuses. */
  readonly words: readonly string[];
  readonly error: ApiError | null;
}

/** Sends one file; rejects with an ApiError when the store gave no outcome for it. */
export type Send = (file: File, onProgress: (sentBytes: number) => void, abort: AbortSignal) => Promise<StoreOutcome>;

export const PARALLEL = 3;
/** Waits before another attempt when the server or the line is away; after the last the person decides. */
export const RETRY_MS: readonly number[] = [1000, 4000, 15_000];

type Later = (task: () => void, delayMs: number) => void;

const DISC_INDEX = 'directory_object';

const TRANSIENT = new Set([0, 429, 502, 503, 504]);

export class UploadQueue {
  /** Grows with every change; pages read it to draw again. */
  readonly version = signal(0);
  items: Item[] = [];
  private readonly known = new Map<string, number>();
  private running = 0;
  private next = 0;
  private abort = new AbortController();

  constructor(
    private readonly send: Send,
    private readonly later: Later = (task, delayMs) => void setTimeout(task, delayMs),
  ) {}

  /** Takes files in. One that the store has acknowledged before is not sent again; one that failed is. */
  add(picked: Picked[]): void {
    for (const { path, file } of picked) {
      const key = `${path}\n${file.size}\n${file.lastModified}`;
      const id = this.known.get(key);
      if (id === undefined) {
        this.known.set(key, this.items.length);
        this.items.push(itemOf(this.items.length, path, file));
      } else if (this.items[id]!.status === 'stored') this.change(id, { status: 'already_stored' });
    }
    this.retryFailed();
  }

  retryFailed(): void {
    for (const { id, status } of this.items) if (status === 'failed') this.again(id);
    this.fill();
  }

  /** Takes back what is under way; `resume` sends it again from its start. */
  stop(): void {
    this.abort.abort();
  }

  resume(): void {
    if (this.abort.signal.aborted) this.abort = new AbortController();
    this.fill();
  }

  clear(): void {
    this.stop();
    this.items = [];
    this.known.clear();
    this.next = 0;
    this.changed();
  }

  /** Without reading it as a dependency: whoever fills the queue must not run again because of it. */
  private changed(): void {
    this.version.value = this.version.peek() + 1;
  }

  private change(id: number, change: Partial<Item>): void {
    this.items[id] = { ...this.items[id]!, ...change };
    this.changed();
  }

  private again(id: number): void {
    this.change(id, { status: 'waiting', sentBytes: 0, error: null });
    this.next = Math.min(this.next, id);
  }

  private fill(): void {
    this.changed();
    while (this.running < PARALLEL && !this.abort.signal.aborted) {
      const item = this.takeWaiting();
      if (!item) return;
      this.running++;
      this.change(item.id, { status: 'sending' });
      void this.settle(item, this.abort.signal).then(() => {
        this.running--;
        this.fill();
      });
    }
  }

  private takeWaiting(): Item | undefined {
    while (this.next < this.items.length) {
      const item = this.items[this.next++]!;
      if (item.status === 'waiting') return item;
    }
    return undefined;
  }

  /** The outcome is written only where the same file still stands: the queue may have been cleared meanwhile. */
  private async settle(item: Item, abort: AbortSignal): Promise<void> {
    const put = (change: Partial<Item>) => {
      if (this.items[item.id]?.file === item.file) this.change(item.id, change);
    };
    try {
      put(await this.outcome(item.file, item.path, (sentBytes) => put({ sentBytes }), abort));
    } catch (error) {
      if (!abort.aborted) return put(this.failure(item, error));
      put({ status: 'waiting', sentBytes: 0 });
      this.next = Math.min(this.next, item.id);
    }
  }

  private async outcome(
    file: File,
    path: string,
    onProgress: (sentBytes: number) => void,
    abort: AbortSignal,
  ): Promise<Partial<Item>> {
    const skip = skipByName(path, file.size) ?? (await skipByContent(file));
    if (skip) return { status: 'skipped', skip };
    const { kind, words } = await this.send(file, onProgress, abort);
    // A disc's index under another name: nothing is missing when it is not stored.
    if (words.includes(DISC_INDEX)) return { status: 'skipped', skip: 'directory_index', sentBytes: file.size };
    return { status: kind, words, sentBytes: file.size };
  }

  private failure(item: Item, error: unknown): Partial<Item> {
    // A file that was moved or that the disk cannot give: nothing the server could say about it.
    const known = error instanceof ApiError ? error : new ApiError('upload.unreadable', -1, 'The file cannot be read');
    const pause = RETRY_MS[item.attempts];
    if (!TRANSIENT.has(known.status) || pause === undefined) return { status: 'failed', error: known };
    this.later(() => {
      const now = this.items[item.id];
      if (now?.file !== item.file || now.status !== 'failed') return;
      this.again(item.id);
      this.fill();
    }, pause);
    return { status: 'failed', error: known, attempts: item.attempts + 1 };
  }
}

function itemOf(id: number, path: string, file: File): Item {
  return { id, path, file, status: 'waiting', sentBytes: 0, attempts: 0, skip: null, words: [], error: null };
}

async function skipByContent(file: File): Promise<Skip | null> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  return looksLikeDicom(head) ? null : 'not_dicom';
}
