/** Drawing tools: from a drag in image coordinates to a mark. Pure. */
import { newId } from '../shared/ids';
import type { Mark, MarkKind, Point } from '../shared/protocol';
import { ellipseInBox, extend } from './shapes';

export type Place = Pick<Mark, 'study' | 'series_instance_uid' | 'sop_instance_uid' | 'frame'>;
export type DrawingTool = Extract<MarkKind, 'length' | 'arrow' | 'ellipse' | 'freehand'>;

const DRAWING: readonly string[] = ['length', 'arrow', 'ellipse', 'freehand'];

export function isDrawing(tool: string): tool is DrawingTool {
  return DRAWING.includes(tool);
}

export function begin(kind: DrawingTool, place: Place, at: Point, color: string): Mark {
  return { id: newId(), kind, ...place, points: shape(kind, [], at, at), text: '', color };
}

/** The mark after the drag reached `to`; `from` is where it began. */
export function drag(mark: Mark, from: Point, to: Point): Mark {
  return { ...mark, points: shape(mark.kind as DrawingTool, mark.points, from, to) };
}

function shape(kind: DrawingTool, points: Point[], from: Point, to: Point): Point[] {
  if (kind === 'freehand') return extend(points, to);
  return kind === 'ellipse' ? ellipseInBox(from, to) : [from, to];
}
