/** What a viewer shows, as signals: opening series, loading frames, keeping canvas and presentation equal. */
import { computed, effect, signal } from '@preact/signals';

import type { SeriesRow } from '../api/types';
import type { Mark, Point, View } from '../shared/protocol';
import { takeLoader } from './early';
import type { Rough } from './frameLoader';
import { frameIndex, openingIndex, type Frame } from './frames';
import { apply, CENTRED, imageToCanvas, invert, type Canvas, type Presentation } from './geometry';
import { prefetchOrder, Prefetcher } from './prefetch';
import { presetsFor, type Window } from './presets';
import type { SeriesLoader, StudyRef } from './seriesLoader';
import type { Stage } from './stage';

export type Tool = 'window' | 'pan' | 'zoom' | 'scroll' | 'length' | 'arrow' | 'ellipse' | 'freehand' | 'pointer';

export type Status = 'empty' | 'loading' | 'shown' | 'failed' | 'not_an_image' | 'series_failed';

/** Requests in flight for slices nobody looks at yet; HTTP/1.1 has six in all, and the current slice must find one free. */
const PREFETCH_CONCURRENCY = 3;
const UNKNOWN_WINDOW: Window = [128, 256];

export class ViewerModel {
  readonly series = signal<SeriesRow[]>([]);
  readonly current = signal<string | null>(null);
  readonly frames = signal<Frame[]>([]);
  readonly index = signal(0);
  readonly presentation = signal<Presentation>({ ...CENTRED, window_center: UNKNOWN_WINDOW[0], window_width: UNKNOWN_WINDOW[1] });
  readonly canvas = signal<Canvas>([0, 0]);
  readonly status = signal<Status>('empty');
  /** how many frames of this series are in memory */
  readonly loaded = signal(0);
  /** fingers scroll first, a mouse has its wheel for that */
  readonly tool = signal<Tool>(matchMedia('(pointer: coarse)').matches ? 'scroll' : 'window');
  readonly marks = signal<Mark[]>([]);
  readonly draft = signal<Mark | null>(null);
  /** id of the mark that was clicked */
  readonly selected = signal<string | null>(null);
  readonly showFindings = signal(true);
  /** the frame whose exact pixels are on the canvas */
  readonly rendered = signal<Frame | null>(null);
  /** pixels of this frame are on the canvas, rough or exact */
  readonly drawnFrame = signal<Frame | null>(null);
  /** what is shown is not the exact image yet */
  readonly rough = signal(false);

  readonly frame = computed(() => this.frames.value[this.index.value] ?? null);
  readonly plane = computed(() => this.frame.value?.plane ?? null);
  readonly matrix = computed(() => {
    const plane = this.plane.value;
    const [width, height] = this.canvas.value;
    return plane && width && height ? imageToCanvas(this.presentation.value, plane, this.canvas.value) : null;
  });

  onMarkAdded: (mark: Mark) => void = (mark) => (this.marks.value = [...this.marks.value, mark]);
  onMarkRemoved: (id: string) => void = (id) => (this.marks.value = this.marks.value.filter((mark) => mark.id !== id));
  onPointer: (at: Point | null) => void = () => undefined;

  private readonly loader: SeriesLoader;
  private stage: Stage | null = null;
  private prefetcher: Prefetcher | null = null;
  private direction: 1 | -1 = 1;
  /** Count what was asked for, so that an answer to an earlier question is not shown. */
  private seriesAsked = 0;
  private frameAsked = 0;
  protected windowChosen = false;
  private wanted: View | null = null;
  private applying = false;
  private readonly ready = new Set<string>();

  constructor(readonly study: StudyRef, series: SeriesRow[]) {
    this.loader = takeLoader(study);
    this.series.value = series;
  }

  attach(stage: Stage): void {
    this.stage = stage;
    stage.onRendered(() => this.drawn());
    stage.setFrames(this.frames.value);
    void this.showFrame();
  }

  /** Keeps the canvas equal to the presentation; returns its undo. */
  follow(): () => void {
    return effect(() => {
      const view = this.presentation.value;
      void this.canvas.value;
      if (this.status.value === 'shown') this.draw(view);
    });
  }

  resized(canvas: Canvas): void {
    this.stage?.resize();
    this.canvas.value = canvas;
  }

  close(): void {
    this.seriesAsked += 1;
    this.frameAsked += 1;
    this.prefetcher?.close();
    this.stage?.close();
    this.stage = null;
  }

  thumbnail(series_instance_uid: string): string {
    return this.loader.thumbnail(series_instance_uid);
  }

  /** The study has grown: what changed is read again, what is looked at stays. */
  updateSeries(rows: SeriesRow[]): void {
    const counts = new Map(this.series.peek().map((row) => [row.series_instance_uid, row.instance_count]));
    const changed = rows.filter((row) => counts.get(row.series_instance_uid) !== row.instance_count).map((row) => row.series_instance_uid);
    this.series.value = rows;
    for (const uid of changed) this.loader.forget(uid);
    const current = this.current.peek();
    if (current && changed.includes(current)) void this.reopen(current);
    else if (!current && rows[0]) void this.openSeries(rows[0].series_instance_uid);
  }

  private async reopen(uid: string): Promise<void> {
    const view = this.getView();
    if (view) await this.openSeries(uid, view);
    if (view && this.current.peek() === uid) this.adoptView(view);
  }

  /** Opens a series at its middle or at a frame; resolves when its first frame is shown or has failed. */
  async openSeries(uid: string, at?: { sop_instance_uid: string; frame: number }): Promise<void> {
    const question = (this.seriesAsked += 1);
    this.frameAsked += 1;
    this.prefetcher?.close();
    this.settle('loading');
    this.current.value = uid;
    const frames = await this.loader.frames(uid).catch(() => null);
    if (question !== this.seriesAsked) return;
    if (!frames) return this.seriesFailed();
    this.adopt(frames, at ? frameIndex(frames, at.sop_instance_uid, at.frame) : -1);
    await this.showFrame();
  }

  private seriesFailed(): void {
    this.frames.value = [];
    this.status.value = 'series_failed';
  }

  private adopt(frames: Frame[], index: number): void {
    this.frames.value = frames;
    this.index.value = index >= 0 ? index : openingIndex(frames);
    this.windowChosen = false;
    this.presentation.value = { ...this.presentation.value, ...CENTRED };
    this.ready.clear();
    this.loaded.value = 0;
    this.stage?.setFrames(frames);
    this.prefetcher = new Prefetcher((one) => this.load(frames[one]!, false), PREFETCH_CONCURRENCY);
  }

  private async load(frame: Frame, urgent: boolean, watch?: (rough: Rough) => void): Promise<void> {
    if (!this.stage || !frame.plane) return;
    await this.stage.load(frame, urgent, watch);
    this.ready.add(frame.image_id);
    if (this.frames.value.includes(frame)) this.loaded.value = this.ready.size;
  }

  private async showFrame(): Promise<void> {
    const question = (this.frameAsked += 1);
    const frame = this.frame.value;
    if (!frame || !this.stage) return;
    if (!frame.plane) return this.settle('not_an_image');
    if (!this.ready.has(frame.image_id)) this.settle('loading');
    let roughShown = Promise.resolve();
    const watch = (rough: Rough): void => {
      roughShown = roughShown.then(() => this.showRough(frame, rough, question)).catch(() => undefined);
    };
    try {
      await this.load(frame, true, watch);
      // The stage shows one image after the other.
      await roughShown;
      if (question !== this.frameAsked) return;
      await this.stage.show(frame);
      if (question === this.frameAsked) this.frameShown(frame);
    } catch {
      if (question === this.frameAsked) this.settle('failed');
    }
  }

  private async showRough(frame: Frame, rough: Rough, question: number): Promise<void> {
    if (question !== this.frameAsked || !this.stage) return;
    await this.stage.showRough(frame, rough);
    if (question !== this.frameAsked) return;
    this.rough.value = true;
    // Not the reader's choice: the exact image may name another one.
    if (!this.windowChosen) this.adoptWindow(frame.window ?? this.stage.ownWindow());
    this.status.value = 'shown';
    this.draw(this.presentation.value);
  }

  private settle(status: Status): void {
    this.rough.value = false;
    this.drawnFrame.value = null;
    this.rendered.value = null;
    this.status.value = status;
  }

  private frameShown(frame: Frame): void {
    this.rough.value = false;
    if (!this.windowChosen) this.setWindow(frame.window ?? this.stage!.ownWindow());
    this.status.value = 'shown';
    this.draw(this.presentation.value);
  }

  /** Neighbours are fetched only once this frame is on the canvas: they would take its processor time. */
  private drawn(): void {
    if (this.status.value !== 'shown') return;
    this.drawnFrame.value = this.frame.value;
    if (this.rough.value) return;
    this.rendered.value = this.frame.value;
    this.prefetcher?.aim(prefetchOrder(this.index.value, this.frames.value.length, this.direction));
  }

  /** `rendered` is empty until the pixels of exactly this view are on the canvas. */
  private draw(view: Presentation): void {
    this.rendered.value = null;
    this.stage?.present(view);
  }

  protected setWindow(window: Window): void {
    this.windowChosen = true;
    this.adoptWindow(window);
  }

  private adoptWindow([window_center, window_width]: Window): void {
    this.presentation.value = { ...this.presentation.value, window_center, window_width };
  }

  /** The window of the shown frame as its file asks for it. */
  ownWindow(): Window {
    const { window_center, window_width } = this.presentation.value;
    return this.frame.value?.window ?? (this.status.value === 'shown' ? this.stage!.ownWindow() : [window_center, window_width]);
  }

  presets(): ReturnType<typeof presetsFor> {
    return presetsFor(this.frame.value?.modality ?? '', this.ownWindow());
  }

  /** The view as it travels; null until an image told which window it wants. */
  getView(): View | null {
    const frame = this.frame.value;
    if (!frame || !this.current.value || !this.windowChosen) return null;
    const { sop_instance_uid, frame: number } = frame;
    const where = { study: this.study.study_id, series_instance_uid: this.current.value, sop_instance_uid, frame: number };
    return { ...where, ...this.presentation.value };
  }

  /** Shows what somebody else sees; of views that arrive while a series opens, only the newest counts. */
  async applyView(view: View): Promise<void> {
    if (view.study !== this.study.study_id) return;
    this.wanted = view;
    if (this.applying) return;
    this.applying = true;
    while (this.wanted) {
      const next: View = this.wanted;
      this.wanted = null;
      if (next.series_instance_uid !== this.current.value) await this.openSeries(next.series_instance_uid, next);
      if (next.series_instance_uid === this.current.value) this.adoptView(next);
    }
    this.applying = false;
  }

  /** Unknown instances (still being uploaded) leave the image as it is. */
  private adoptView(view: View): void {
    const { study: _study, series_instance_uid: _series, sop_instance_uid, frame, ...presentation } = view;
    this.windowChosen = true;
    this.presentation.value = presentation;
    const index = frameIndex(this.frames.value, sop_instance_uid, frame);
    if (index >= 0 && index !== this.index.value) this.goto(index);
  }

  protected goto(index: number): void {
    this.direction = index >= this.index.value ? 1 : -1;
    this.index.value = index;
    void this.showFrame();
  }

  /** Canvas CSS pixels → image coordinates of the shown frame. */
  toImage(at: Point): Point | null {
    const matrix = this.matrix.value;
    return matrix && apply(invert(matrix), at);
  }

  /** Where a mark drawn now belongs. */
  place(): Pick<Mark, 'study' | 'series_instance_uid' | 'sop_instance_uid' | 'frame'> | null {
    const view = this.getView();
    if (!view || !this.plane.value) return null;
    const { study, series_instance_uid, sop_instance_uid, frame } = view;
    return { study, series_instance_uid, sop_instance_uid, frame };
  }
}
