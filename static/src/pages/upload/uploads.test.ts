import { beforeEach, expect, it, vi } from 'vitest';

import type { User } from '../../api/types';
import { session } from '../../state/session';
import { uploads } from './uploads';

const aborted = vi.fn();

vi.mock('./storeFile', () => ({
  storeFile: (_file: File, _progress: unknown, abort: AbortSignal) =>
    new Promise((_resolve, reject) => abort.addEventListener('abort', () => (aborted(), reject(new Error('aborted'))))),
}));

const enter = (id: string) => (session.value = { kind: 'in', user: { id } as User });
const leave = () => (session.value = { kind: 'out', expired: true });
const file = new File([`${'\0'.repeat(128)}DICM`], 'IM1');
const statuses = () => uploads.items.map(({ status }) => status);

beforeEach(async () => {
  leave();
  enter('U0');
  enter('U1');
  uploads.add([{ path: 'IM1', file }]);
  await vi.waitFor(() => expect(statuses()).toEqual(['sending']));
});

it('stops when the session ends and goes on when the same person is back', async () => {
  leave();
  await vi.waitFor(() => expect(statuses()).toEqual(['waiting']));
  enter('U1');
  expect(statuses()).toEqual(['sending']);
});

it('never sends the files of one person in the name of another', async () => {
  aborted.mockClear();
  leave();
  enter('U2');
  expect(uploads.items).toEqual([]);
  await vi.waitFor(() => expect(aborted).toHaveBeenCalled());
  expect(uploads.items).toEqual([]);
});

it('warns before the page is closed while files are under way', () => {
  const closing = new Event('beforeunload', { cancelable: true });
  window.dispatchEvent(closing);
  expect(closing.defaultPrevented).toBe(true);
});
