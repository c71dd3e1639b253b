import { describe, expect, it } from 'vitest';
import type { Point } from '../shared/protocol';
import type { Plane } from './geometry';
import { circleOutline, ellipseInBox, extend, isStray, measurement } from './shapes';
import { lineAt, scaleBar, type Line } from './overlay';
import { prefetchOrder, Prefetcher } from './prefetch';
import { presetsFor } from './presets';
import { onlyPart, words } from './palette';

const PLANE: Plane = { columns: 100, rows: 100, columnSpacing: 0.5, rowSpacing: 2, calibrated: true };
const BARE: Plane = { ...PLANE, columnSpacing: 1, rowSpacing: 1, calibrated: false };

const line = (id: string, points: Point[]): Line => ({ id, kind: 'length', points, color: '', label: '', at: [0, 0], author: '' });

describe('marks', () => {
  it('measure lengths along the spacing of each direction', () => {
    expect(measurement({ kind: 'length', points: [[0, 0], [10, 0]] }, PLANE)).toBe('5.0 mm');
    expect(measurement({ kind: 'length', points: [[0, 0], [0, 10]] }, PLANE)).toBe('20.0 mm');
  });

  it('say pixels where there is no spacing', () => {
    expect(measurement({ kind: 'length', points: [[0, 0], [3, 4]] }, BARE)).toBe('5 px');
  });

  it('measure the area of an ellipse', () => {
    expect(measurement({ kind: 'ellipse', points: ellipseInBox([0, 0], [40, 10]) }, PLANE)).toBe('3.14 cm²');
  });

  it('name the longer axis of an ellipse first', () => {
    expect(ellipseInBox([0, 0], [2, 10])).toEqual([[1, 0], [1, 10], [0, 5], [2, 5]]);
  });

  it('draw circles around their centre', () => {
    for (const [x, y] of circleOutline([[5, 5], [8, 9]])) expect(Math.hypot(x - 5, y - 5)).toBeCloseTo(5);
  });

  it('never hold more points than the protocol allows', () => {
    let points: Point[] = [];
    for (let step = 0; step < 2000; step += 1) points = extend(points, [step, 0]);
    expect(points.length).toBeLessThanOrEqual(500);
    expect(points.at(-1)).toEqual([1999, 0]);
  });

  it('are not made by a click that trembled', () => {
    expect(isStray([[10, 10], [11, 11]], 1)).toBe(true);
    expect(isStray([[10, 10], [30, 10]], 1)).toBe(false);
  });

  it('are found by a click near their line, the nearest first', () => {
    const lines = [line('a', [[0, 0], [100, 0]]), line('b', [[0, 10], [100, 10]])];
    expect(lineAt(lines, [50, 7])?.id).toBe('b');
    expect(lineAt(lines, [50, 40])).toBeNull();
  });
});

describe('reading aids', () => {
  it('draw a scale of a round length and a sensible size', () => {
    expect(scaleBar(1.7)).toEqual({ mm: 50, pixels: 85 });
    expect(scaleBar(0)).toBeNull();
  });

  it('offer absolute windows for CT and relative ones elsewhere, the own one last', () => {
    expect(presetsFor('CT', [0, 1]).find(({ key }) => key === '2')?.window).toEqual([40, 400]);
    expect(presetsFor('MR', [500, 1000])[0]?.window).toEqual([500, 1500]);
    expect(presetsFor('MR', [500, 1000]).at(-1)?.window).toEqual([500, 1000]);
  });
});

describe('prefetching', () => {
  it('goes ahead in the reading direction and looks back a little', () => {
    expect(prefetchOrder(10, 20, 1).slice(0, 5)).toEqual([11, 12, 13, 9, 14]);
    expect(prefetchOrder(10, 20, -1).slice(0, 4)).toEqual([9, 8, 7, 11]);
    expect(prefetchOrder(0, 3, 1)).toEqual([1, 2]);
  });

  it('keeps few requests under way and forgets what is no longer wanted', async () => {
    const finish = new Map<number, () => void>();
    const prefetcher = new Prefetcher((index) => new Promise<void>((resolve) => finish.set(index, resolve)), 2);
    prefetcher.aim([1, 2, 3]);
    expect([...finish.keys()]).toEqual([1, 2]);
    prefetcher.aim([8, 9]);
    finish.get(1)!();
    await new Promise((resolve) => setTimeout(resolve));
    expect([...finish.keys()]).toEqual([1, 2, 8]);
  });
});

describe('colour tables', () => {
  it('are little-endian words', () => {
    expect(words(new Uint8Array([0x34, 0x12, 0xff, 0x00]))).toEqual([0x1234, 0xff]);
  });

  it('are taken out of a multipart answer', () => {
    const body = new TextEncoder().encode('--b\r\nContent-Type: x\r\n\r\nDATA\r\n--b--\r\n');
    expect(new TextDecoder().decode(onlyPart(body, 'multipart/related; boundary=b'))).toBe('DATA');
    expect(onlyPart(body, 'application/octet-stream')).toBe(body);
  });
});
