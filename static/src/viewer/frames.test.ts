import { describe, expect, it } from 'vitest';
import type { DicomJson } from './dicomJson';
import { frameIndex, framesOf, openingIndex } from './frames';

function instance(uid: string, parts: Record<string, unknown[]> = {}): DicomJson {
  const base: Record<string, unknown[]> = {
    '0020000D': ['1.2'],
    '0020000E': ['1.2.3'],
    '00080018': [uid],
    '00080016': ['1.2.840.10008.5.1.4.1.1.2'],
    '00280010': [256],
    '00280011': [512],
    ...parts,
  };
  return Object.fromEntries(Object.entries(base).map(([tag, Value]) => [tag, { Value }]));
}

const AXIAL = [1, 0, 0, 0, 1, 0];
const slice = (uid: string, z: number, number: number, orientation = AXIAL): DicomJson =>
  instance(uid, { '00200037': orientation, '00200032': [0, 0, z], '00200013': [number] });
const order = (metadata: DicomJson[]): string[] => framesOf('/dw', metadata).map((frame) => frame.sop_instance_uid);

const measures = (value: number[]) => ({ '00289110': { Value: [{ '00280030': { Value: value } }] } });

describe('frames of a series', () => {
  it('sorts slices by their place in the patient, not by the order of files', () => {
    expect(order([slice('b', 2, 2), slice('c', 3, 3), slice('a', 1, 1)])).toEqual(['a', 'b', 'c']);
  });

  it('reads from the end that the scanner numbered first', () => {
    expect(order([slice('low', 1, 9), slice('mid', 2, 8), slice('high', 3, 7)])).toEqual(['high', 'mid', 'low']);
  });

  it('trusts places more than wrong numbers in between', () => {
    expect(order([slice('a', 1, 1), slice('b', 2, 30), slice('c', 3, 3)])).toEqual(['a', 'b', 'c']);
  });

  it('falls back to the numbers when slices are not parallel', () => {
    const localizer = slice('x', 0, 1, [1, 0, 0, 0, 0, -1]);
    expect(order([slice('b', 1, 3), localizer, slice('a', 9, 2)])).toEqual(['x', 'a', 'b']);
  });

  it('puts objects without pixels last and says that they have none', () => {
    const report = instance('sr', { '00280010': [], '00200013': [0] });
    const frames = framesOf('/dw', [report, slice('a', 1, 1)]);
    expect(frames.map(({ plane }) => plane === null)).toEqual([false, true]);
  });

  it('makes one frame of each frame, with its own address', () => {
    const frames = framesOf('/dw', [instance('m', { '00280008': [3] })]);
    expect(frames.map(({ image_id }) => image_id).at(-1)).toBe('wadors:/dw/studies/1.2/series/1.2.3/instances/m/frames/3');
    expect(frameIndex(frames, 'm', 2)).toBe(1);
    expect(frameIndex(frames, 'm', 4)).toBe(-1);
  });

  it('takes spacing from the frame, then the shared group, then the instance, then the detector', () => {
    const enhanced = instance('e', { '00280008': [2], '52009230': [measures([3, 3]), {}], '52009229': [measures([2, 2])] });
    expect(framesOf('/dw', [enhanced]).map(({ plane }) => plane?.rowSpacing)).toEqual([3, 2]);
    const projection = framesOf('/dw', [instance('p', { '00181164': [0.1, 0.2] })])[0]!.plane!;
    expect([projection.rowSpacing, projection.columnSpacing, projection.calibrated]).toEqual([0.1, 0.2, true]);
  });

  it('measures in pixels when no spacing is known, with their aspect ratio', () => {
    const plane = framesOf('/dw', [instance('u', { '00280034': [2, 3] })])[0]!.plane!;
    expect([plane.calibrated, plane.rowSpacing, plane.columnSpacing]).toEqual([false, 1, 1.5]);
  });

  it('ignores a window that shows nothing', () => {
    expect(framesOf('/dw', [instance('w', { '00281050': [0], '00281051': [0] })])[0]!.window).toBeNull();
    expect(framesOf('/dw', [instance('w', { '00281050': ['40'], '00281051': ['400'] })])[0]!.window).toEqual([40, 400]);
  });

  it('opens in the middle of its images, whatever else the series holds', () => {
    const images = [1, 2, 3, 4].map((z) => slice(String(z), z, z));
    const report = instance('sr', { '00280010': [] });
    expect(openingIndex(framesOf('/dw', [...images, report]))).toBe(1);
    expect(openingIndex(framesOf('/dw', [report]))).toBe(0);
  });

  it('knows how large a frame is uncompressed', () => {
    const [frame] = framesOf('/dw', [instance('a', { '00280100': [16], '00280002': [3] })]);
    expect(frame?.bytes).toBe(256 * 512 * 6);
  });
});
