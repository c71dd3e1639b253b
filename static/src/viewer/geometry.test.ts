import { describe, expect, it } from 'vitest';
import type { Point } from '../shared/protocol';
import {
  apply,
  cameraFor,
  CENTRED,
  distance,
  imageToCanvas,
  invert,
  panBy,
  windowBy,
  zoomAt,
  type Axes,
  type Canvas,
  type Plane,
  type Presentation,
  type Vector3,
} from './geometry';

const PLANE: Plane = { columns: 512, rows: 256, columnSpacing: 0.5, rowSpacing: 1, calibrated: true };
const CANVAS: Canvas = [800, 600];
const VIEW: Presentation = { ...CENTRED, window_center: 40, window_width: 400 };

const POSES: Partial<Presentation>[] = [
  {},
  { zoom: 3, pan: [17, -40] },
  { rotation: 90, pan: [5, 6] },
  { flip_h: true, pan: [30, 0] },
  { flip_v: true, rotation: 270, zoom: 0.5 },
  { flip_h: true, flip_v: true, rotation: 33, zoom: 1.7, pan: [-9, 12] },
];

function close(actual: Point, expected: Point): void {
  expect(actual[0]).toBeCloseTo(expected[0], 6);
  expect(actual[1]).toBeCloseTo(expected[1], 6);
}

describe('where an image lies', () => {
  it('fits the whole image into the canvas at zoom 1, in millimetres and not in pixels', () => {
    const matrix = imageToCanvas(VIEW, PLANE, CANVAS);
    // 256 mm × 256 mm in 800 × 600: the height decides.
    close(apply(matrix, [0, 0]), [100, 0]);
    close(apply(matrix, [512, 256]), [700, 600]);
  });

  it('turns clockwise', () => {
    const matrix = imageToCanvas({ ...VIEW, rotation: 90 }, PLANE, CANVAS);
    close(apply(matrix, [0, 0]), [700, 0]);
    close(apply(matrix, [512, 0]), [700, 600]);
  });

  it('mirrors left and right, top and bottom', () => {
    close(apply(imageToCanvas({ ...VIEW, flip_h: true }, PLANE, CANVAS), [0, 0]), [700, 0]);
    close(apply(imageToCanvas({ ...VIEW, flip_v: true }, PLANE, CANVAS), [0, 0]), [100, 600]);
  });

  it('moves right and down by positive pan, in image pixels', () => {
    const matrix = imageToCanvas({ ...VIEW, pan: [10, 20] }, PLANE, CANVAS);
    close(apply(matrix, [256 - 10, 128 - 20]), [400, 300]);
  });

  it.each(POSES)('goes there and back: %o', (pose) => {
    const matrix = imageToCanvas({ ...VIEW, ...pose }, PLANE, CANVAS);
    close(apply(invert(matrix), apply(matrix, [123.5, 45.25])), [123.5, 45.25]);
  });

  it.each(POSES)('shows the same image point in the middle of every canvas: %o', (pose) => {
    const view = { ...VIEW, ...pose };
    const canvases: Canvas[] = [[800, 600], [300, 900], [1920, 1080]];
    const [first, ...others] = canvases.map((canvas) => apply(invert(imageToCanvas(view, PLANE, canvas)), [canvas[0] / 2, canvas[1] / 2]));
    for (const other of others) close(other, first!);
  });

  it('shows the same region on a canvas of the same shape and another size', () => {
    const view = { ...VIEW, zoom: 2.5, pan: [31, -8] as Point, rotation: 20 };
    const corner = (canvas: Canvas): Point => apply(invert(imageToCanvas(view, PLANE, canvas)), [0, canvas[1]]);
    close(corner([800, 600]), corner([400, 300]));
  });

  it.each(POSES)('drags the image with the hand: %o', (pose) => {
    const view = { ...VIEW, ...pose };
    const grabbed = apply(invert(imageToCanvas(view, PLANE, CANVAS)), [200, 100]);
    const moved = panBy(view, PLANE, CANVAS, [37, -12]);
    close(apply(imageToCanvas(moved, PLANE, CANVAS), grabbed), [237, 88]);
  });

  it.each(POSES)('zooms around the point under the mouse: %o', (pose) => {
    const view = { ...VIEW, ...pose };
    const under = apply(invert(imageToCanvas(view, PLANE, CANVAS)), [650, 80]);
    close(apply(imageToCanvas(zoomAt(view, PLANE, CANVAS, [650, 80], 1.8), PLANE, CANVAS), under), [650, 80]);
  });

  it('keeps the zoom within what can be looked at', () => {
    expect(zoomAt(VIEW, PLANE, CANVAS, [0, 0], 1e9).zoom).toBe(40);
    expect(zoomAt(VIEW, PLANE, CANVAS, [0, 0], 1e-9).zoom).toBe(0.1);
  });

  it('never lets the window become empty', () => {
    expect(windowBy(VIEW, [-1e6, 0]).window_width).toBe(1);
  });

  it('measures in millimetres along both spacings', () => {
    expect(distance(PLANE, [0, 0], [6, 4])).toBeCloseTo(5);
  });
});

const AXES: Axes = { origin: [-10, 20, 300], alongColumns: [0, 1, 0], alongRows: [0, 0, -1], spacing: [0.5, 1] };

/** What a camera with a parallel projection does to a point in space. */
function project(point: Vector3, camera: ReturnType<typeof cameraFor>, canvas: Canvas): Point {
  const { focalPoint: f, viewUp: up, viewPlaneNormal: n, parallelScale } = camera;
  const right: Vector3 = [up[1] * n[2] - up[2] * n[1], up[2] * n[0] - up[0] * n[2], up[0] * n[1] - up[1] * n[0]];
  const d = point.map((value, axis) => value - f[axis]!);
  const along = (axis: Vector3): number => d[0]! * axis[0] + d[1]! * axis[1] + d[2]! * axis[2];
  const scale = canvas[1] / 2 / parallelScale;
  return [canvas[0] / 2 + along(right) * scale, canvas[1] / 2 - along(up) * scale];
}

describe('the camera', () => {
  it.each(POSES)('puts pixels where the overlay expects them: %o', (pose) => {
    const view = { ...VIEW, ...pose };
    const camera = cameraFor(view, PLANE, AXES, CANVAS);
    const [column, row] = [100, 30];
    const inSpace: Vector3 = [-10, 20 + (column - 0.5) * 0.5, 300 - (row - 0.5)];
    close(project(inSpace, camera, CANVAS), apply(imageToCanvas(view, PLANE, CANVAS), [column, row]));
  });

  it.each(POSES)('puts the pixels of a reduced image where the whole one has them: %o', (pose) => {
    const view = { ...VIEW, ...pose };
    const camera = cameraFor(view, PLANE, AXES, CANVAS, 4);
    // Its pixel 25/7 is the frame's pixel 100/28; Cornerstone draws it at 25/7 spacings from the first.
    const inSpace: Vector3 = [-10, 20 + 25 * 0.5, 300 - 7];
    close(project(inSpace, camera, CANVAS), apply(imageToCanvas(view, PLANE, CANVAS), [100.5, 28.5]));
  });
});
