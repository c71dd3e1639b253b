/** From a series' metadata to the ordered list of frames that a reader scrolls through. Pure. */
import { items, number, numbers, text, type DicomJson } from './dicomJson';
import type { Plane, Vector3 } from './geometry';
import { kindOf } from './sopClasses';

export type Frame = {
  sop_instance_uid: string;
  sop_class_uid: string;
  /** counts from 1 */
  frame: number;
  image_id: string;
  modality: string;
  instance_number: number | null;
  /** null: an object without pixels (report, ECG, presentation state …) */
  plane: Plane | null;
  /** centre and width that the file asks for, if it does */
  window: [number, number] | null;
  color: boolean;
  /** of the frame uncompressed */
  bytes: number;
  instance: DicomJson;
};

const ROWS = '00280010';
const COLUMNS = '00280011';
const FRAME_COUNT = '00280008';
const SHARED_GROUPS = '52009229';
const FRAME_GROUPS = '52009230';
const PIXEL_MEASURES = '00289110';
const FRAME_VOI = '00289132';
const PIXEL_SPACING = '00280030';
const IMAGER_SPACING = '00181164';
const ASPECT_RATIO = '00280034';
const PARALLEL_ENOUGH = 0.99;

/** All frames of one series, slices in the order of their place in the patient, objects without pixels last. */
export function framesOf(root: string, metadata: DicomJson[]): Frame[] {
  const images = metadata.filter(hasPixels);
  const rest = metadata.filter((instance) => !hasPixels(instance));
  return [...sortSlices(images), ...rest].flatMap((instance) => instanceFrames(root, instance));
}

function hasPixels(instance: DicomJson): boolean {
  if (kindOf(text(instance, '00080016')) === 'video') return false;
  return (number(instance, ROWS) ?? 0) > 0 && (number(instance, COLUMNS) ?? 0) > 0;
}

function instanceFrames(root: string, instance: DicomJson): Frame[] {
  const count = hasPixels(instance) ? Math.max(1, number(instance, FRAME_COUNT) ?? 1) : 1;
  return Array.from({ length: count }, (_, index) => frameOf(root, instance, index + 1));
}

function frameOf(root: string, instance: DicomJson, frame: number): Frame {
  const study = text(instance, '0020000D');
  const series = text(instance, '0020000E');
  const sop_instance_uid = text(instance, '00080018');
  const path = `${root}/studies/${study}/series/${series}/instances/${sop_instance_uid}/frames/${frame}`;
  return {
    sop_instance_uid,
    sop_class_uid: text(instance, '00080016'),
    frame,
    image_id: `wadors:${path}`,
    modality: text(instance, '00080060'),
    instance_number: number(instance, '00200013'),
    plane: hasPixels(instance) ? planeOf(instance, frame) : null,
    window: windowOf(instance, frame),
    color: (number(instance, '00280002') ?? 1) > 1,
    bytes: bytesOf(instance),
    instance,
  };
}

function bytesOf(instance: DicomJson): number {
  const bits = (number(instance, '00280100') ?? 0) * (number(instance, '00280002') ?? 1);
  return ((number(instance, ROWS) ?? 0) * (number(instance, COLUMNS) ?? 0) * bits) / 8;
}

/** Where a series opens: in the middle of its images. */
export function openingIndex(frames: Frame[]): number {
  const images = frames.filter((frame) => frame.plane).length;
  return Math.floor(Math.max(images - 1, 0) / 2);
}

function planeOf(instance: DicomJson, frame: number): Plane {
  const [rowSpacing, columnSpacing] = spacingOf(instance, frame) ?? [];
  const [tall = 1, wide = 1] = numbers(instance, ASPECT_RATIO);
  const calibrated = Boolean(rowSpacing && columnSpacing);
  return {
    columns: number(instance, COLUMNS) ?? 0,
    rows: number(instance, ROWS) ?? 0,
    columnSpacing: calibrated ? columnSpacing! : wide / tall,
    rowSpacing: calibrated ? rowSpacing! : 1,
    calibrated,
  };
}

/** Spacing at the patient if known, else at the detector (PS3.3 10.7.1.3): row to row first. */
function spacingOf(instance: DicomJson, frame: number): number[] | null {
  const measures = group(instance, frame, PIXEL_MEASURES);
  const candidates = [measures && numbers(measures, PIXEL_SPACING), numbers(instance, PIXEL_SPACING), numbers(instance, IMAGER_SPACING)];
  return candidates.find((pair) => pair?.length === 2 && pair.every((value) => value > 0)) ?? null;
}

/** A width of 1 or less (seen as 0/0 in real files) says nothing that one could look at. */
function windowOf(instance: DicomJson, frame: number): [number, number] | null {
  for (const source of [group(instance, frame, FRAME_VOI), instance]) {
    const center = source && number(source, '00281050');
    const width = source && number(source, '00281051');
    if (typeof center === 'number' && typeof width === 'number' && width > 1) return [center, width];
  }
  return null;
}

/** One functional group macro of an enhanced multi-frame object: the frame's own, else the shared one. */
function group(instance: DicomJson, frame: number, tag: string): DicomJson | null {
  const own = items(instance, FRAME_GROUPS)[frame - 1];
  const shared = items(instance, SHARED_GROUPS)[0];
  return (own && items(own, tag)[0]) ?? (shared && items(shared, tag)[0]) ?? null;
}

type Placed = { instance: DicomJson; order: number; position: number };

function sortSlices(images: DicomJson[]): DicomJson[] {
  const byNumber = images.toSorted((a, b) => instanceOrder(a) - instanceOrder(b));
  const placed = placeAll(byNumber);
  if (!placed) return byNumber;
  const sorted = placed.toSorted((a, b) => a.position - b.position || a.order - b.order);
  return (runsBackwards(sorted) ? sorted.toReversed() : sorted).map(({ instance }) => instance);
}

function instanceOrder(instance: DicomJson): number {
  return number(instance, '00200013') ?? Number.MAX_SAFE_INTEGER;
}

/** Position along the common normal, or null when the slices are not parallel or have no place. */
function placeAll(images: DicomJson[]): Placed[] | null {
  const normal = images[0] && normalOf(images[0]);
  if (!normal) return null;
  const placed: Placed[] = [];
  for (const [order, instance] of images.entries()) {
    const own = normalOf(instance);
    const position = numbers(instance, '00200032');
    if (!own || position.length !== 3 || dot(own, normal) < PARALLEL_ENOUGH) return null;
    placed.push({ instance, order, position: dot(position, normal) });
  }
  return placed;
}

function normalOf(instance: DicomJson): Vector3 | null {
  const [a, b, c, d, e, f] = numbers(instance, '00200037');
  if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined || f === undefined) return null;
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

/** Position decides the order, the scanner's numbering only from which end it is read. */
function runsBackwards(sorted: Placed[]): boolean {
  const [first, last] = [sorted[0], sorted.at(-1)];
  return first !== undefined && last !== undefined && instanceOrder(first.instance) > instanceOrder(last.instance);
}

export function frameIndex(frames: Frame[], sop_instance_uid: string, frame: number): number {
  return frames.findIndex((one) => one.sop_instance_uid === sop_instance_uid && one.frame === frame);
}
