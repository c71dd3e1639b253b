/** What lies over the shown frame: marks, findings and pointers, chosen and made ready to draw. Pure. */
import type { Finding } from '../api/types';
import type { Mark, Point, PointerBody } from '../shared/protocol';
import type { Frame } from './frames';
import { apply, type Affine, type Plane } from './geometry';
import { centroid, circleOutline, ellipseOutline, measurement, outline } from './shapes';

export type Line = {
  id: string;
  kind: string;
  points: Point[];
  color: string;
  label: string;
  /** canvas position of the label */
  at: Point;
  author: string;
};

export function onFrame(thing: { sop_instance_uid: string; frame: number }, frame: Frame | null): boolean {
  return frame !== null && thing.sop_instance_uid === frame.sop_instance_uid && thing.frame === frame.frame;
}

export function markLine(mark: Mark, matrix: Affine, plane: Plane): Line {
  const points = outline(mark).map((point) => apply(matrix, point));
  const label = [measurement(mark, plane), mark.text].filter(Boolean).join(' ');
  const at = lowest(points);
  return { id: mark.id, kind: mark.kind, points, color: mark.color, label, at, author: mark.author_name ?? '' };
}

export function markLines(marks: Mark[], frame: Frame | null, matrix: Affine, plane: Plane): Line[] {
  return marks.filter((mark) => onFrame(mark, frame)).map((mark) => markLine(mark, matrix, plane));
}

/** Findings of a whole image have no line: they are told by the badge and the list only. */
export function findingPoints(finding: Finding): Point[] {
  if (finding.kind === 'circle') return circleOutline(finding.points);
  if (finding.kind === 'ellipse') return ellipseOutline(finding.points);
  return finding.points;
}

export function findingLine(finding: Finding, matrix: Affine): Line {
  const points = findingPoints(finding).map((point) => apply(matrix, point));
  const at = points.length === 1 ? points[0]! : lowest(points);
  return { id: finding.finding_id, kind: finding.kind, points, color: '', label: finding.label, at, author: '' };
}

function lowest(points: Point[]): Point {
  const y = Math.max(...points.map((point) => point[1]));
  return points.length ? [centroid(points)[0], y] : [0, 0];
}

/** The line that a click at a canvas position meant, if any. */
export function lineAt(lines: Line[], at: Point, reach = 9): Line | null {
  const near = lines.map((line) => ({ line, gap: gapTo(line.points, at) })).filter(({ gap }) => gap <= reach);
  return near.toSorted((a, b) => a.gap - b.gap)[0]?.line ?? null;
}

function gapTo(points: Point[], at: Point): number {
  const gaps = points.slice(1).map((point, index) => gapToSegment(points[index]!, point, at));
  return Math.min(...gaps, ...points.slice(0, 1).map((point) => Math.hypot(point[0] - at[0], point[1] - at[1])));
}

function gapToSegment([ax, ay]: Point, [bx, by]: Point, [x, y]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = dx || dy ? ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy) : 0;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

export function svgPath(points: Point[]): string {
  return points.map(([x, y], index) => `${index ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/** Head of an arrow that points at `tip`, coming from `tail`; canvas pixels. */
export function arrowHead(tip: Point, tail: Point, size = 12): Point[] {
  const angle = Math.atan2(tip[1] - tail[1], tip[0] - tail[0]);
  const side = (turn: number): Point => [tip[0] - size * Math.cos(angle + turn), tip[1] - size * Math.sin(angle + turn)];
  return [side(0.45), tip, side(-0.45)];
}

export function visiblePointers(pointers: Record<string, PointerBody>, frame: Frame | null): [string, PointerBody][] {
  return Object.entries(pointers).filter(([, body]) => onFrame(body, frame));
}

/** A round length in millimetres whose bar is 60–150 px long, for the scale at the edge. */
export function scaleBar(pixelsPerMm: number): { mm: number; pixels: number } | null {
  if (!(pixelsPerMm > 0)) return null;
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];
  const mm = steps.find((step) => step * pixelsPerMm >= 60);
  return mm === undefined ? null : { mm, pixels: mm * pixelsPerMm };
}
