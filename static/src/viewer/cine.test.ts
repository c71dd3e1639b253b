import { describe, expect, it } from 'vitest';
import { frameRate, isCine, nextFrame } from './cine';
import type { DicomJson } from './dicomJson';
import { framesOf, type Frame } from './frames';

function frames(uid: string, count: number, tags: Record<string, unknown[]> = {}): Frame[] {
  const parts = { '00080018': [uid], '00280010': [4], '00280011': [4], '00280008': [count], ...tags };
  return framesOf('/dw', [Object.fromEntries(Object.entries(parts).map(([tag, Value]) => [tag, { Value }])) as DicomJson]);
}
const rate = (tags: Record<string, unknown[]>): number => frameRate(frames('a', 2, tags)[0]!);

describe('the rate of a moving picture', () => {
  it('is what the file recommends before what it was taken with', () => {
    expect(rate({ '00082144': [8], '00180040': [30], '00181063': ['20'] })).toBe(8);
    expect(rate({ '00180040': ['30'], '00181063': [20] })).toBe(30);
  });

  it('follows from the time of a frame, one or many', () => {
    expect(rate({ '00181063': [40] })).toBe(25);
    expect(rate({ '00181065': [0, 50, 150] })).toBe(10);
  });

  it('is a usual one where the file says nothing or nonsense', () => {
    expect(rate({})).toBe(15);
    expect(rate({ '00181063': [0], '00180040': [-1] })).toBe(15);
    expect(rate({ '00180040': [5000] })).toBe(60);
  });
});

describe('playing', () => {
  const list = [...frames('a', 3), ...frames('b', 1)];

  it('goes round within one object', () => {
    expect([0, 1, 2].map((index) => nextFrame(list, index))).toEqual([1, 2, 0]);
    expect(nextFrame(list, 3)).toBe(3);
  });

  it('is offered for several frames of one object only', () => {
    expect([0, 2, 3].map((index) => isCine(list, index))).toEqual([true, true, false]);
    expect(isCine(frames('tiles', 9, { '00080060': ['SM'] }), 0)).toBe(false);
  });
});
