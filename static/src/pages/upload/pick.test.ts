import { expect, it } from 'vitest';

import { type Picked, walk } from './pick';

const file = (path: string) =>
  ({
    isDirectory: false,
    fullPath: path,
    file: (done: (file: File) => void) => done(new File(['x'], path.split('/').at(-1)!)),
  }) as unknown as FileSystemEntry;

/** A folder whose reader gives at most `step` entries at a time, as browsers do. */
function folder(entries: FileSystemEntry[], step = 2): FileSystemEntry {
  const reader = () => {
    const left = [...entries];
    return { readEntries: (done: (some: FileSystemEntry[]) => void) => done(left.splice(0, step)) };
  };
  return { isDirectory: true, createReader: reader } as unknown as FileSystemEntry;
}

it('walks folders to the bottom, in order, however few entries come at a time', async () => {
  const found: Picked[] = [];
  const deep = folder([file('/CD/S1/IM1'), file('/CD/S1/IM2'), file('/CD/S1/IM3')]);
  await walk([folder([deep, file('/CD/IM4'), folder([])]), file('/IM5')], (files) => found.push(...files));
  expect(found.map(({ path }) => path)).toEqual(['CD/S1/IM1', 'CD/S1/IM2', 'CD/S1/IM3', 'CD/IM4', 'IM5']);
});

it('hands on a large folder piece by piece', async () => {
  const sizes: number[] = [];
  const entries = Array.from({ length: 450 }, (_, index) => file(`/CD/IM${index}`));
  await walk([folder(entries, 100)], (files) => sizes.push(files.length));
  expect(sizes).toEqual([200, 200, 50]);
});

it('says so when a folder cannot be read', async () => {
  const broken = {
    isDirectory: true,
    createReader: () => ({ readEntries: (_: unknown, failed: (error: Error) => void) => failed(new Error('disc')) }),
  } as unknown as FileSystemEntry;
  await expect(walk([broken], () => undefined)).rejects.toThrow('disc');
});
