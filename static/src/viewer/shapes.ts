/** Marks and findings as lines in image coordinates, and what they measure. Pure. */
import type { Mark, Point } from '../shared/protocol';
import { distance, type Plane } from './geometry';

const ELLIPSE_STEPS = 64;
const MAX_POINTS = 500;

/** A closed curve through the four axis ends (PS3.3 C.10.5.1.2 ELLIPSE: major axis ends, then minor axis ends). */
export function ellipseOutline([a, b, c, d]: Point[]): Point[] {
  if (!a || !b || !c || !d) return [];
  const centre: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const u: Point = [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2];
  const v: Point = [(d[0] - c[0]) / 2, (d[1] - c[1]) / 2];
  return Array.from({ length: ELLIPSE_STEPS + 1 }, (_, step) => {
    const angle = (2 * Math.PI * step) / ELLIPSE_STEPS;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [centre[0] + cos * u[0] + sin * v[0], centre[1] + cos * u[1] + sin * v[1]];
  });
}

/** CIRCLE: the centre, then any point on it. */
export function circleOutline([centre, edge]: Point[]): Point[] {
  if (!centre || !edge) return [];
  const radius = Math.hypot(edge[0] - centre[0], edge[1] - centre[1]);
  const [x, y] = centre;
  return ellipseOutline([[x - radius, y], [x + radius, y], [x, y - radius], [x, y + radius]]);
}

/** Axis ends of the ellipse inside a dragged box, the longer axis first. */
export function ellipseInBox([ax, ay]: Point, [bx, by]: Point): Point[] {
  const [cx, cy] = [(ax + bx) / 2, (ay + by) / 2];
  const horizontal: Point[] = [[Math.min(ax, bx), cy], [Math.max(ax, bx), cy]];
  const vertical: Point[] = [[cx, Math.min(ay, by)], [cx, Math.max(ay, by)]];
  return Math.abs(bx - ax) >= Math.abs(by - ay) ? [...horizontal, ...vertical] : [...vertical, ...horizontal];
}

/** The line to draw for a mark, in image coordinates. */
export function outline(mark: Pick<Mark, 'kind' | 'points'>): Point[] {
  if (mark.kind === 'ellipse') return ellipseOutline(mark.points);
  if (mark.kind === 'rectangle') return rectangle(mark.points);
  return mark.points;
}

function rectangle([a, b]: Point[]): Point[] {
  return a && b ? [a, [b[0], a[1]], b, [a[0], b[1]], a] : [];
}

/** Adds a point to a freehand line; past the protocol's limit every second earlier point goes. */
export function extend(points: Point[], point: Point): Point[] {
  const thinned = points.length >= MAX_POINTS ? points.filter((_, index) => index % 2 === 0) : points;
  return [...thinned, point];
}

/** What a mark measures, in words that need no translation: "12.3 mm", "45 px", "1.2 cm²". */
export function measurement(mark: Pick<Mark, 'kind' | 'points'>, plane: Plane): string {
  const [a, b, c, d] = mark.points;
  if (mark.kind === 'length' && a && b) return length(distance(plane, a, b), plane);
  if (mark.kind === 'ellipse' && a && b && c && d) {
    return area((Math.PI / 4) * distance(plane, a, b) * distance(plane, c, d), plane);
  }
  return '';
}

function length(value: number, plane: Plane): string {
  return plane.calibrated ? `${value.toFixed(1)} mm` : `${Math.round(value)} px`;
}

function area(value: number, plane: Plane): string {
  if (!plane.calibrated) return `${Math.round(value)} px²`;
  return value >= 100 ? `${(value / 100).toFixed(2)} cm²` : `${value.toFixed(1)} mm²`;
}

/** Too small to have been meant: a click that trembled. `scale` is canvas pixels per image pixel. */
export function isStray(points: Point[], scale: number): boolean {
  const [first] = points;
  return !first || points.every(([x, y]) => Math.hypot(x - first[0], y - first[1]) * scale < 4);
}

export function centroid(points: Point[]): Point {
  const sum = points.reduce<Point>(([x, y], point) => [x + point[0], y + point[1]], [0, 0]);
  const count = Math.max(1, points.length);
  return [sum[0] / count, sum[1] / count];
}
