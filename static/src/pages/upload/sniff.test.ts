import { describe, expect, it } from 'vitest';

import { looksLikeDicom, skipByName } from './sniff';

const part10 = new Uint8Array(132);
part10.set([0x44, 0x49, 0x43, 0x4d], 128);

describe('the first bytes', () => {
  it('tell a DICOM file', () => expect(looksLikeDicom(part10)).toBe(true));

  it('tell an old file that begins with its first element', () => {
    expect(looksLikeDicom(new Uint8Array([0x08, 0, 0x05, 0, 0x43, 0x53, 0x0a, 0]))).toBe(true);
  });

  it.each([
    ['a text', new TextEncoder().encode('hello, this is a readme')],
    ['a PNG', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
    ['a few bytes', new Uint8Array([8, 0])],
    ['nothing', new Uint8Array()],
  ])('tell %s from it', (_, head) => expect(looksLikeDicom(head)).toBe(false));
});

describe('the name', () => {
  it.each([
    ['CD/DICOMDIR', 100, 'directory_index'],
    ['CD/.DS_Store', 100, 'system_file'],
    ['Thumbs.db', 100, 'system_file'],
    ['CD/IM0001', 0, 'empty'],
    ['CD/IM0001.dcm', 100, null],
  ])('of %s with %d bytes says %s', (path, size, skip) => expect(skipByName(path, size)).toBe(skip));
});
