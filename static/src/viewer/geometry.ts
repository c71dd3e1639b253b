/**
 * Where an image lies on a canvas: pure maths between image coordinates (columns, rows; 0/0 = outer corner of the first
 * pixel), canvas CSS pixels, and the patient's space. A View means the same region on a canvas of any size.
 */
import type { Point, View } from '../shared/protocol';

export type Presentation = Pick<
  View,
  'window_center' | 'window_width' | 'zoom' | 'pan' | 'rotation' | 'flip_h' | 'flip_v' | 'invert'
>;

/** Width and height in CSS pixels. */
export type Canvas = [number, number];

export type Plane = {
  columns: number;
  rows: number;
  /** millimetres from column to column; when not calibrated, the pixel's relative width */
  columnSpacing: number;
  rowSpacing: number;
  calibrated: boolean;
};

/** An SVG-style matrix: x' = a·x + c·y + e, y' = b·x + d·y + f. */
export type Affine = { a: number; b: number; c: number; d: number; e: number; f: number };

export type Vector3 = [number, number, number];

/** How the image lies in the patient: centre of the first pixel and the directions of growing column and row. */
export type Axes = { origin: Vector3; alongColumns: Vector3; alongRows: Vector3; spacing: Point };

export type Camera = { focalPoint: Vector3; viewUp: Vector3; viewPlaneNormal: Vector3; parallelScale: number };

const ZOOM_MIN = 0.1;
const ZOOM_MAX = 40;

export const CENTRED: Pick<Presentation, 'zoom' | 'pan' | 'rotation' | 'flip_h' | 'flip_v' | 'invert'> = {
  zoom: 1,
  pan: [0, 0],
  rotation: 0,
  flip_h: false,
  flip_v: false,
  invert: false,
};

/** CSS pixels per millimetre at which the turned image just fits the canvas. */
export function fitScale(plane: Plane, [width, height]: Canvas, rotation: number): number {
  const [cos, sin] = turn(rotation);
  const imageWidth = plane.columns * plane.columnSpacing;
  const imageHeight = plane.rows * plane.rowSpacing;
  const boxWidth = Math.abs(cos) * imageWidth + Math.abs(sin) * imageHeight;
  const boxHeight = Math.abs(sin) * imageWidth + Math.abs(cos) * imageHeight;
  return Math.min(width / boxWidth, height / boxHeight);
}

/** CSS pixels per millimetre of this view. */
export function scaleOf(view: Presentation, plane: Plane, canvas: Canvas): number {
  return view.zoom * fitScale(plane, canvas, view.rotation);
}

/** The image coordinate in the middle of the canvas. */
export function centreOf(view: Presentation, plane: Plane): Point {
  return [plane.columns / 2 - view.pan[0], plane.rows / 2 - view.pan[1]];
}

/** Image coordinates → canvas CSS pixels. */
export function imageToCanvas(view: Presentation, plane: Plane, canvas: Canvas): Affine {
  const scale = scaleOf(view, plane, canvas);
  const [cos, sin] = turn(view.rotation);
  const perColumn = scale * plane.columnSpacing * (view.flip_h ? -1 : 1);
  const perRow = scale * plane.rowSpacing * (view.flip_v ? -1 : 1);
  const [a, b, c, d] = [cos * perColumn, sin * perColumn, -sin * perRow, cos * perRow];
  const [x, y] = centreOf(view, plane);
  return { a, b, c, d, e: canvas[0] / 2 - a * x - c * y, f: canvas[1] / 2 - b * x - d * y };
}

export function apply(matrix: Affine, [x, y]: Point): Point {
  return [matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f];
}

export function invert({ a, b, c, d, e, f }: Affine): Affine {
  const determinant = a * d - b * c;
  return {
    a: d / determinant,
    b: -b / determinant,
    c: -c / determinant,
    d: a / determinant,
    e: (c * f - d * e) / determinant,
    f: (b * e - a * f) / determinant,
  };
}

/** Moves the image by a distance on the canvas. */
export function panBy(view: Presentation, plane: Plane, canvas: Canvas, [dx, dy]: Point): Presentation {
  const { a, b, c, d } = invert(imageToCanvas(view, plane, canvas));
  return { ...view, pan: [view.pan[0] + a * dx + c * dy, view.pan[1] + b * dx + d * dy] };
}

/** Zooms by a factor and leaves the image point under `at` (canvas) where it is. */
export function zoomAt(view: Presentation, plane: Plane, canvas: Canvas, at: Point, factor: number): Presentation {
  const zoomed = { ...view, zoom: clamp(view.zoom * factor, ZOOM_MIN, ZOOM_MAX) };
  const fixed = apply(invert(imageToCanvas(view, plane, canvas)), at);
  const moved = apply(imageToCanvas(zoomed, plane, canvas), fixed);
  return panBy(zoomed, plane, canvas, [at[0] - moved[0], at[1] - moved[1]]);
}

/** Window by a drag on the canvas: right is wider, down is darker; the step grows with the width. */
export function windowBy(view: Presentation, [dx, dy]: Point): Presentation {
  const step = Math.max(view.window_width, 1) / 256;
  const window_width = Math.max(1, view.window_width + dx * step);
  return { ...view, window_width, window_center: view.window_center + dy * step };
}

/**
 * The camera that looks at the image plane as `view` says; mirrored images are looked at from behind. `reduction`: how many
 * pixels of the plane are one of the image that lies there, which Cornerstone draws that much smaller.
 */
export function cameraFor(view: Presentation, plane: Plane, axes: Axes, canvas: Canvas, reduction = 1): Camera {
  const [cos, sin] = turn(view.rotation);
  const mirrorX = view.flip_h ? -1 : 1;
  const mirrorY = view.flip_v ? -1 : 1;
  const right = combine(axes, mirrorX * cos, -mirrorY * sin);
  const up = combine(axes, -mirrorX * sin, -mirrorY * cos);
  const [x, y] = centreOf(view, plane);
  // Coordinates count from the pixel's corner, the patient's space from its centre (PS3.3 C.7.6.2.1.1).
  // The pixels of a reduced image are those of its columns and rows 0, reduction, 2 · reduction …
  const toCentre = combine(axes, ((x - 0.5) / reduction) * axes.spacing[0], ((y - 0.5) / reduction) * axes.spacing[1]);
  return {
    focalPoint: add(axes.origin, toCentre),
    viewUp: up,
    viewPlaneNormal: cross(right, up),
    parallelScale: canvas[1] / 2 / scaleOf(view, plane, canvas) / reduction,
  };
}

/** Length in millimetres, or in pixels where the plane is not calibrated. */
export function distance(plane: Plane, [ax, ay]: Point, [bx, by]: Point): number {
  return Math.hypot((bx - ax) * plane.columnSpacing, (by - ay) * plane.rowSpacing);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function turn(degrees: number): Point {
  const radians = (degrees * Math.PI) / 180;
  return [Math.cos(radians), Math.sin(radians)];
}

function combine({ alongColumns: i, alongRows: j }: Axes, x: number, y: number): Vector3 {
  return [i[0] * x + j[0] * y, i[1] * x + j[1] * y, i[2] * x + j[2] * y];
}

function add(a: Vector3, b: Vector3): Vector3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
