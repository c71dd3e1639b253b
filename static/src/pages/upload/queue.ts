/** The upload queue: what is to be sent, three at a time, and what became of each file. Knows no page. */

import { signal } from '@preact/signals';

import { ApiError } from '../../api/http';
import type { StoreOutcome } from '../../api/stow';
import type { Picked } from './pick';
import { HEAD_BYTES, looksLikeDicom, skipByName, type Skip } from './sniff';

export type Status = 'waiting' | 'sending' | 'skipped' | 'failed' | StoreOutcome['kind'];

export interface Item {
  readonly id: number;
  readonly path: string;
  readonly file: File;
  status: Status;
  sentBytes: number;
  attempts: number;
  skip: Skip | null;
  /** Failure or warning reason of the store. */
  reason: number | null;
  error: ApiError | null;
}

/** Sends one file; rejects with an ApiError when the store gave no outcome for it. */
export type Send = (file: File, onProgress: (sentBytes: number) => void, abort: AbortSignal) => Promise<StoreOutcome>;

export const PARALLEL = 3;
/** Waits before another attempt when the server or the line is away; after the last the person decides. */
export const RETRY_MS: readonly number[] = [1000, 4000, 15_000];

type Later = (task: () => void, delayMs: number) => void;

const TRANSIENT = new Set([0, 429, 502, 503, 504]);

export class UploadQueue {
  /** Grows with every change; pages read it to draw again. */
  readonly version = signal(0);
  readonly items: Item[] = [];
  private readonly known = new Map<string, Item>();
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
      const item = this.known.get(key);
      if (!item) {
        const added = itemOf(this.items.length, path, file);
        this.known.set(key, added);
        this.items.push(added);
      } else if (item.status === 'stored') item.status = 'already_stored';
    }
    this.retryFailed();
  }

  retryFailed(): void {
    for (const item of this.items) if (item.status === 'failed') this.again(item);
    this.touch();
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
    this.items.length = 0;
    this.known.clear();
    this.next = 0;
    this.touch();
  }

  private again(item: Item): void {
    Object.assign(item, { status: 'waiting', sentBytes: 0, error: null });
    this.next = Math.min(this.next, item.id);
  }

  private fill(): void {
    while (this.running < PARALLEL && !this.abort.signal.aborted) {
      const item = this.takeWaiting();
      if (!item) return;
      this.running++;
      item.status = 'sending';
      void this.process(item, this.abort.signal).finally(() => {
        this.running--;
        this.touch();
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

  private async process(item: Item, abort: AbortSignal): Promise<void> {
    try {
      item.skip = skipByName(item.path, item.file.size) ?? (await skipByContent(item.file));
      if (item.skip) item.status = 'skipped';
      else await this.store(item, abort);
    } catch (error) {
      this.failed(item, error, abort);
    }
  }

  private async store(item: Item, abort: AbortSignal): Promise<void> {
    const progress = (sentBytes: number) => {
      item.sentBytes = sentBytes;
      this.touch();
    };
    const { kind, reason } = await this.send(item.file, progress, abort);
    Object.assign(item, { status: kind, reason, sentBytes: item.file.size });
  }

  private failed(item: Item, error: unknown, abort: AbortSignal): void {
    if (abort.aborted) return this.again(item);
    // A file that was moved or that the disk cannot give: nothing the server could say about it.
    item.error = error instanceof ApiError ? error : new ApiError('upload.unreadable', -1, 'The file cannot be read');
    item.status = 'failed';
    const pause = RETRY_MS[item.attempts];
    if (!TRANSIENT.has(item.error.status) || pause === undefined) return;
    item.attempts++;
    this.later(() => {
      if (item.status !== 'failed' || this.items[item.id] !== item) return;
      this.again(item);
      this.fill();
    }, pause);
  }

  private touch(): void {
    this.version.value++;
  }
}

function itemOf(id: number, path: string, file: File): Item {
  return { id, path, file, status: 'waiting', sentBytes: 0, attempts: 0, skip: null, reason: null, error: null };
}

async function skipByContent(file: File): Promise<Skip | null> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  return looksLikeDicom(head) ? null : 'not_dicom';
}
