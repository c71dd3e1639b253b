/**
 * A viewer with a reader at it: every change by the reader's own hand (scroll, window, zoom …) is told to `onUserView`;
 * a view that came from elsewhere is applied silently by the model.
 */
import { signal } from '@preact/signals';

import type { Point, View } from '../shared/protocol';
import { frameRate, isCine, nextFrame } from './cine';
import { frameIndex } from './frames';
import { CENTRED, clamp, panBy, windowBy, zoomAt, type Presentation } from './geometry';
import type { Window } from './presets';
import { ViewerModel } from './viewerModel';

export class Viewer extends ViewerModel {
  onUserView: (view: View) => void = () => undefined;

  /** the frames of the shown object follow each other by themselves */
  readonly playing = signal(false);
  private timer: ReturnType<typeof setTimeout> | undefined;

  userPlay(): void {
    const play = !this.playing.value && isCine(this.frames.value, this.index.value);
    this.stop();
    if (!play) return;
    this.playing.value = true;
    this.tick();
  }

  override close(): void {
    this.stop();
    super.close();
  }

  private stop(): void {
    this.playing.value = false;
    clearTimeout(this.timer);
  }

  /** A frame that is not there yet is waited for, not left out. */
  private tick(): void {
    const frame = this.frame.value;
    if (!frame || !isCine(this.frames.value, this.index.value)) return this.stop();
    this.timer = setTimeout(() => {
      if (this.drawnFrame.value === this.frame.value) {
        this.goto(nextFrame(this.frames.value, this.index.value));
        this.told();
      }
      this.tick();
    }, 1000 / frameRate(frame));
  }

  private told(): void {
    const view = this.getView();
    if (view) this.onUserView(view);
  }

  private change(presentation: Presentation): void {
    this.presentation.value = presentation;
    this.told();
  }

  async userSeries(uid: string): Promise<void> {
    this.stop();
    await this.openSeries(uid);
    this.told();
  }

  async userJump(uid: string, sop_instance_uid: string, frame: number): Promise<void> {
    const index = uid === this.current.value ? frameIndex(this.frames.value, sop_instance_uid, frame) : -1;
    if (index >= 0) this.goto(index);
    else await this.openSeries(uid, { sop_instance_uid, frame });
    this.told();
  }

  userNextSeries(step: 1 | -1): void {
    const list = this.series.value;
    const at = list.findIndex((one) => one.series_instance_uid === this.current.value);
    const next = list[(at + step + list.length) % list.length];
    if (next && list.length > 1) void this.userSeries(next.series_instance_uid);
  }

  userScroll(steps: number): void {
    this.stop();
    this.userIndex(this.index.value + steps);
  }

  userIndex(wanted: number): void {
    const index = clamp(wanted, 0, Math.max(0, this.frames.value.length - 1));
    if (index === this.index.value) return;
    this.goto(index);
    this.told();
  }

  userWindow(window: Window): void {
    this.setWindow(window);
    this.told();
  }

  userWindowBy(delta: Point): void {
    this.windowChosen = true;
    this.change(windowBy(this.presentation.value, delta));
  }

  userPanBy(delta: Point): void {
    const plane = this.plane.value;
    if (plane) this.change(panBy(this.presentation.value, plane, this.canvas.value, delta));
  }

  userZoom(factor: number, at?: Point): void {
    const plane = this.plane.value;
    const [width, height] = this.canvas.value;
    if (plane) this.change(zoomAt(this.presentation.value, plane, this.canvas.value, at ?? [width / 2, height / 2], factor));
  }

  userTurn(change: Partial<Pick<Presentation, 'rotation' | 'flip_h' | 'flip_v' | 'invert'>>): void {
    this.change({ ...this.presentation.value, ...change });
  }

  userReset(): void {
    const [window_center, window_width] = this.ownWindow();
    this.change({ ...CENTRED, window_center, window_width });
  }
}
