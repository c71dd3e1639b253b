import { describe, expect, it } from 'vitest';
import { resolutions } from './codeStream';

const word = (value: number): number[] => [value >> 8, value & 255];
const long = (value: number): number[] => [...word(value >>> 16), ...word(value & 0xffff)];
const segment = (marker: number, body: number[]): number[] => [...word(marker), ...word(body.length + 2), ...body];
const coding = (levels: number): number[] => segment(0xff52, [0, 2, 0, 1, 0, levels, 4, 4, 64, 1]);
/** Tile index of two bytes, lengths of four. */
const lengths = (...parts: number[]): number[] => segment(0xff55, [0, 0x60, ...parts.flatMap((part) => [0, 0, ...long(part)])]);
const stream = (...segments: number[][]): Uint8Array => new Uint8Array([...word(0xff4f), ...segments.flat(), ...word(0xff90), 0, 10]);

describe('the resolutions of a code stream', () => {
  it('end where the header and the tile-parts before end', () => {
    const header = 2 + coding(2).length + lengths(1, 2, 3).length;
    expect(resolutions(stream(coding(2), lengths(100, 500, 70_000)))).toEqual([
      { level: 2, bytes: header + 100 },
      { level: 1, bytes: header + 600 },
      { level: 0, bytes: header + 70_600 },
    ]);
  });

  it('are not known before the header is complete', () => {
    const whole = stream(coding(1), lengths(10, 20));
    for (let end = 0; end < whole.length - 2; end += 1) expect(resolutions(whole.subarray(0, end))).toBeNull();
  });

  it('are not known where tile-parts are something else', () => {
    expect(resolutions(stream(coding(2), lengths(100)))).toBeNull();
    expect(resolutions(new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0]))).toBeNull();
  });

  it('are read from where the view into a larger buffer begins', () => {
    const whole = stream(coding(0), lengths(7));
    const larger = new Uint8Array(whole.length + 3);
    larger.set(whole, 3);
    expect(resolutions(larger.subarray(3))).toEqual(resolutions(whole));
  });
});
