import { expect, it } from 'vitest';

import type { Item, Status } from './queue';
import { summarise, within } from './summary';

const item = (id: number, status: Status, size = 100, sentBytes = 0): Item => ({
  id,
  status,
  sentBytes,
  path: `IM${id}`,
  file: { size } as File,
  attempts: 0,
  skip: null,
  words: [],
  error: null,
});

const items = [
  item(0, 'stored'),
  item(1, 'already_stored'),
  item(2, 'sending', 100, 40),
  item(3, 'waiting'),
  item(4, 'conflict'),
  item(5, 'failed'),
  item(6, 'skipped', 5000),
];

it('counts files by what became of them and bytes by what is to be sent', () => {
  expect(summarise(items)).toEqual({
    counts: { all: 7, done: 2, ahead: 2, trouble: 2, skipped: 1 },
    failed: 1,
    totalBytes: 600,
    sentBytes: 440,
  });
});

it('never counts more bytes of a file than it has', () => {
  expect(summarise([item(0, 'sending', 100, 130)]).sentBytes).toBe(100);
});

it('gives the files of one group', () => {
  expect(within('trouble', items).map(({ id }) => id)).toEqual([4, 5]);
  expect(within('all', items)).toBe(items);
});
