/** Mouse, pen and fingers on the image. Right drag is always the window, the middle button pans, two fingers zoom and pan. */
import type { Point } from '../shared/protocol';
import { begin, drag, isDrawing } from './drawing';
import { lineAt, markLines } from './overlay';
import { isStray } from './shapes';
import type { Viewer } from './viewer';
import type { Tool } from './viewerModel';

const PIXELS_PER_SLICE = 8;
const WHEEL_PER_SLICE = 60;
const ZOOM_PER_PIXEL = 0.006;
const LEFT = 0;
const MIDDLE = 1;

type Drag = { tool: Tool; start: Point; last: Point; rest: number; imageStart: Point | null };

export class Interaction {
  private readonly down = new Map<number, Point>();
  private current: Drag | null = null;
  private wheelRest = 0;

  constructor(
    private readonly viewer: Viewer,
    private readonly element: HTMLElement,
    private readonly color: () => string,
  ) {}

  /** Listens until the returned undo is called. */
  listen(): () => void {
    const stop = new AbortController();
    const on = <K extends keyof HTMLElementEventMap>(kind: K, act: (event: HTMLElementEventMap[K]) => void): void =>
      this.element.addEventListener(kind, act, { signal: stop.signal, passive: false });
    on('pointerdown', (event) => this.pressed(event));
    on('pointermove', (event) => this.moved(event));
    on('pointerup', (event) => this.released(event));
    on('pointercancel', (event) => this.cancelled(event));
    on('pointerleave', () => this.viewer.onPointer(null));
    on('wheel', (event) => this.wheeled(event));
    on('contextmenu', (event) => event.preventDefault());
    on('dblclick', () => this.viewer.tool.value === 'pan' && this.viewer.userReset());
    return () => stop.abort();
  }

  private at(event: MouseEvent): Point {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private pressed(event: PointerEvent): void {
    // Buttons that lie over the image keep their clicks.
    if ((event.target as Element).closest('button, [role=button]')) return;
    const at = this.at(event);
    this.down.set(event.pointerId, at);
    this.element.setPointerCapture(event.pointerId);
    if (this.down.size > 1) return this.abandon();
    const tool = toolOf(event.button, this.viewer.tool.value);
    this.current = { tool, start: at, last: at, rest: 0, imageStart: this.viewer.toImage(at) };
    this.startDrawing(tool);
  }

  private startDrawing(tool: Tool): void {
    const place = this.viewer.place();
    const from = this.current?.imageStart;
    if (isDrawing(tool) && place && from) this.viewer.draft.value = begin(tool, place, from, this.color());
  }

  private moved(event: PointerEvent): void {
    const at = this.at(event);
    this.point(at);
    const before = this.down.get(event.pointerId);
    if (!before) return;
    if (this.down.size === 2) this.pinched(event.pointerId, before, at);
    this.down.set(event.pointerId, at);
    if (this.current && this.down.size === 1) this.dragged(this.current, at);
  }

  private point(at: Point): void {
    if (this.viewer.tool.value === 'pointer') this.viewer.onPointer(this.viewer.toImage(at));
  }

  private dragged(current: Drag, at: Point): void {
    const delta: Point = [at[0] - current.last[0], at[1] - current.last[1]];
    current.last = at;
    const { viewer } = this;
    if (current.tool === 'window') viewer.userWindowBy(delta);
    if (current.tool === 'pan') viewer.userPanBy(delta);
    if (current.tool === 'zoom') viewer.userZoom(Math.exp(-delta[1] * ZOOM_PER_PIXEL), current.start);
    if (current.tool === 'scroll') this.scrolled(current, delta[1]);
    if (viewer.draft.value) this.drawn(current, at);
  }

  private drawn(current: Drag, at: Point): void {
    const to = this.viewer.toImage(at);
    const draft = this.viewer.draft.value;
    if (draft && to && current.imageStart) this.viewer.draft.value = drag(draft, current.imageStart, to);
  }

  private scrolled(current: Drag, dy: number): void {
    current.rest += dy;
    const slices = Math.trunc(current.rest / PIXELS_PER_SLICE);
    current.rest -= slices * PIXELS_PER_SLICE;
    if (slices) this.viewer.userScroll(slices);
  }

  private pinched(moving: number, before: Point, now: Point): void {
    const other = [...this.down].find(([id]) => id !== moving)![1];
    const spread = (point: Point): number => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
    const middle: Point = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    this.viewer.userPanBy([(now[0] - before[0]) / 2, (now[1] - before[1]) / 2]);
    this.viewer.userZoom(spread(now) / spread(before), middle);
  }

  private released(event: PointerEvent): void {
    this.down.delete(event.pointerId);
    const draft = this.viewer.draft.value;
    const matrix = this.viewer.matrix.value;
    const clicked = this.current && isStray([this.current.start, this.at(event)], 1);
    this.abandon();
    if (draft && matrix && !isStray(draft.points, Math.hypot(matrix.a, matrix.b))) this.viewer.onMarkAdded(draft);
    else if (clicked && event.button === LEFT) this.choose(this.at(event));
  }

  private choose(at: Point): void {
    const { marks, frame, matrix, plane, selected } = this.viewer;
    if (!matrix.value || !plane.value) return;
    selected.value = lineAt(markLines(marks.value, frame.value, matrix.value, plane.value), at)?.id ?? null;
  }

  private cancelled(event: PointerEvent): void {
    this.down.delete(event.pointerId);
    this.abandon();
  }

  private abandon(): void {
    this.current = null;
    this.viewer.draft.value = null;
  }

  private wheeled(event: WheelEvent): void {
    event.preventDefault();
    if (event.ctrlKey) return this.viewer.userZoom(Math.exp(-event.deltaY * 0.002), this.at(event));
    this.wheelRest += event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 30 : event.deltaY;
    const slices = Math.trunc(this.wheelRest / WHEEL_PER_SLICE);
    this.wheelRest -= slices * WHEEL_PER_SLICE;
    if (slices) this.viewer.userScroll(slices);
  }
}

function toolOf(button: number, chosen: Tool): Tool {
  if (button === LEFT) return chosen;
  return button === MIDDLE ? 'pan' : 'window';
}
