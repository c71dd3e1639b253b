import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '../../api/http';
import type { StoreOutcome } from '../../api/stow';
import { PARALLEL, RETRY_MS, type Send, UploadQueue } from './queue';

const DICOM = `${'\0'.repeat(128)}DICM pixels`;
const STORED: StoreOutcome = { kind: 'stored', words: [] };

interface Pending {
  file: File;
  progress: (sentBytes: number) => void;
  resolve: (outcome: StoreOutcome) => void;
  reject: (error: unknown) => void;
}

let pending: Pending[];
let waits: { task: () => void; delayMs: number }[];
let queue: UploadQueue;

const send: Send = (file, progress, abort) =>
  new Promise((resolve, reject) => {
    pending.push({ file, progress, resolve, reject });
    abort.addEventListener('abort', () => reject(new ApiError('network', 0, 'aborted')));
  });

const pick = (path: string, text = DICOM) => ({ path, file: new File([text], path, { lastModified: 1 }) });
const many = (count: number) => Array.from({ length: count }, (_, index) => pick(`IM${index}`));
const statuses = () => queue.items.map(({ status }) => status);
const underWay = (count: number) => vi.waitFor(() => expect(pending).toHaveLength(count));
const becomes = (...expected: string[]) => vi.waitFor(() => expect(statuses()).toEqual(expected));

beforeEach(() => {
  [pending, waits] = [[], []];
  queue = new UploadQueue(send, (task, delayMs) => void waits.push({ task, delayMs }));
});

describe('the upload queue', () => {
  it('sends three files at a time and the next when one is done', async () => {
    queue.add(many(5));
    await underWay(PARALLEL);
    expect(statuses()).toEqual(['sending', 'sending', 'sending', 'waiting', 'waiting']);
    pending[0]!.resolve(STORED);
    await underWay(PARALLEL + 1);
    expect(statuses()).toEqual(['stored', 'sending', 'sending', 'sending', 'waiting']);
  });

  it('sends every file once and keeps what the store said of each', async () => {
    const sent: string[] = [];
    queue = new UploadQueue(async (file) => {
      sent.push(file.name);
      return file.name === 'IM4' ? { kind: 'refused', words: ['truncated'] } : STORED;
    });
    queue.add(many(7));
    await becomes('stored', 'stored', 'stored', 'stored', 'refused', 'stored', 'stored');
    expect(sent.toSorted()).toEqual(many(7).map(({ path }) => path));
    expect(queue.items[4]!.words).toEqual(['truncated']);
  });

  it('puts a new item in place of a changed one, so that its row is drawn again', async () => {
    queue.add(many(1));
    await underWay(1);
    const [before] = queue.items;
    pending[0]!.progress(40);
    expect(queue.items[0]).not.toBe(before);
    expect(queue.items[0]!.sentBytes).toBe(40);
  });

  it('skips what is not DICOM without sending it', async () => {
    queue.add([pick('readme.txt', 'hello'), pick('DICOMDIR'), pick('empty', '')]);
    await becomes('skipped', 'skipped', 'skipped');
    expect(queue.items.map(({ skip }) => skip)).toEqual(['not_dicom', 'directory_index', 'empty']);
    expect(pending).toHaveLength(0);
  });

  it('takes a disc index under another name for skipped, not for trouble', async () => {
    queue.add([pick('INDEX.DCM')]);
    await underWay(1);
    pending[0]!.resolve({ kind: 'refused', words: ['directory_object'] });
    await becomes('skipped');
    expect(queue.items[0]!.skip).toBe('directory_index');
  });

  it('does not send again what this tab has stored, and says so', async () => {
    queue.add([pick('IM0')]);
    await underWay(1);
    pending[0]!.resolve(STORED);
    await becomes('stored');
    queue.add([pick('IM0')]);
    expect(statuses()).toEqual(['already_stored']);
    expect(pending).toHaveLength(1);
  });

  it('tries again by itself while the line is away, then leaves it to the person', async () => {
    queue.add([pick('IM0')]);
    for (const [attempt, delayMs] of RETRY_MS.entries()) {
      await underWay(attempt + 1);
      pending[attempt]!.reject(new ApiError('network', 0, 'away'));
      await vi.waitFor(() => expect(waits.at(-1)?.delayMs).toBe(delayMs));
      waits.at(-1)!.task();
    }
    await underWay(RETRY_MS.length + 1);
    pending.at(-1)!.reject(new ApiError('network', 0, 'away'));
    await becomes('failed');
    expect(waits).toHaveLength(RETRY_MS.length);
    queue.retryFailed();
    await underWay(RETRY_MS.length + 2);
  });

  it('does not repeat what the server refuses for good', async () => {
    queue.add([pick('IM0')]);
    await underWay(1);
    pending[0]!.reject(new ApiError('too_large', 413, 'too large'));
    await becomes('failed');
    expect(waits).toHaveLength(0);
    expect(queue.items[0]!.error?.code).toBe('too_large');
  });

  it('takes back what is under way when stopped, and sends it again on resuming', async () => {
    queue.add(many(4));
    await underWay(3);
    queue.stop();
    await becomes('waiting', 'waiting', 'waiting', 'waiting');
    queue.resume();
    await underWay(6);
  });

  it('forgets everything when cleared, also what comes in late', async () => {
    queue.add(many(2));
    await underWay(2);
    queue.clear();
    queue.resume();
    queue.add([pick('other')]);
    await underWay(3);
    pending[0]!.resolve(STORED);
    await becomes('sending');
    expect(queue.items.map(({ path }) => path)).toEqual(['other']);
  });
});
