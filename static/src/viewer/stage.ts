/**
 * The only file that talks to Cornerstone3D: one stack viewport that shows one frame under one presentation.
 * The camera is computed by geometry.ts, so overlays drawn beside the canvas and the pixels on it share one truth.
 */
import { cache, Enums, getConfiguration, init as initCore, RenderingEngine, type Types, utilities } from '@cornerstonejs/core';
import { init as initLoader, wadors } from '@cornerstonejs/dicom-image-loader';

import { newId } from '../shared/ids';
import { loadFrame, type Rough } from './frameLoader';
import type { Frame } from './frames';
import { cameraFor, type Axes, type Presentation, type Vector3 } from './geometry';
import type { Window } from './presets';

const CAMERA_DISTANCE_MM = 500;
/** Around the image plane, wherever the last slice left the camera. */
const CLIPPING_MM: Types.Point2 = [1, 2 * CAMERA_DISTANCE_MM];
const OVERDUE_MS = 30_000;
/** Two cores are common on ward computers: one decodes, one draws. */
const DECODERS = 2;

let shared: Promise<RenderingEngine> | null = null;

/**
 * One engine with one WebGL context for the whole page: a context costs 0.1 s and more on ward computers, and
 * Cornerstone would make seven. Worth calling before an image is wanted.
 */
export function warmUp(): Promise<RenderingEngine> {
  shared ??= Promise.resolve().then(() => {
    const defaults = getConfiguration();
    initCore({ ...defaults, rendering: { ...defaults.rendering, webGlContextCount: 1 } });
    initLoader({ maxWebWorkers: DECODERS });
    return new RenderingEngine('telemed');
  });
  return shared;
}

export class Stage {
  private frames: Frame[] = [];
  private shown: Frame | null = null;
  private stackOf: Frame[] | null = null;
  /** of the image that is shown: rough ones are smaller than their frame */
  private reduction = 1;

  private constructor(
    private readonly engine: RenderingEngine,
    private readonly viewport: Types.IStackViewport,
  ) {}

  static async open(element: HTMLDivElement): Promise<Stage> {
    const engine = await warmUp();
    const viewportId = newId();
    engine.enableElement({
      viewportId,
      element,
      type: Enums.ViewportType.STACK,
      defaultOptions: { background: [0, 0, 0] },
    });
    return new Stage(engine, engine.getViewport(viewportId) as Types.IStackViewport);
  }

  /** Calls `listener` after pixels reached the canvas. */
  onRendered(listener: () => void): void {
    this.viewport.element.addEventListener(Enums.Events.IMAGE_RENDERED, listener);
  }

  setFrames(frames: Frame[]): void {
    this.frames = frames.filter((frame) => frame.plane !== null);
    for (const frame of this.frames) wadors.metaDataManager.add(frame.image_id, frame.instance as never);
    this.stackOf = null;
    this.shown = null;
  }

  /** Fetches and decodes one frame into the cache; `urgent` overtakes prefetching, `watch` sees it come. */
  async load(frame: Frame, urgent: boolean, watch?: (rough: Rough) => void): Promise<void> {
    giveWindow(await Promise.race([loadFrame(frame, urgent, watch), overdue()]));
  }

  /** Puts a rough image of a frame on the canvas, as :meth:`show` does the frame itself. */
  async showRough(frame: Frame, { image, reduction }: Rough): Promise<void> {
    giveWindow(image);
    await cache.putImageLoadObject(image.imageId, { promise: Promise.resolve(image) });
    await this.viewport.setStack([image.imageId], 0);
    this.stackOf = null;
    this.shown = frame;
    this.reduction = reduction;
  }

  /** Puts a loaded frame on the canvas. The presentation is applied by the `present` that must follow. */
  async show(frame: Frame): Promise<void> {
    const index = this.frames.indexOf(frame);
    if (index < 0) throw new Error('the frame does not belong to the series on the stage');
    if (this.stackOf === this.frames) await this.viewport.setImageIdIndex(index);
    else await this.viewport.setStack(this.frames.map(({ image_id }) => image_id), index);
    this.stackOf = this.frames;
    this.shown = frame;
    this.reduction = 1;
  }

  /** The window of the shown frame when the file names none: its range of values. */
  ownWindow(): Window {
    const { windowCenter, windowWidth } = this.viewport.getCornerstoneImage();
    return [first(windowCenter), first(windowWidth)];
  }

  present(view: Presentation): void {
    const { plane } = this.shown ?? {};
    const { element } = this.viewport;
    if (!plane || !element.clientWidth || !element.clientHeight) return;
    const camera = cameraFor(view, plane, this.axes(), [element.clientWidth, element.clientHeight], this.reduction);
    this.viewport.setProperties({
      voiRange: utilities.windowLevel.toLowHighRange(view.window_width, view.window_center),
      // Cornerstone's `invert` is absolute; ours is what the reader did to the correct display (PS3.3 C.7.6.3.1.2).
      invert: view.invert !== this.isMonochrome1(),
    });
    const position = along(camera.focalPoint, camera.viewPlaneNormal, CAMERA_DISTANCE_MM);
    this.viewport.setCamera({ ...camera, position, clippingRange: CLIPPING_MM });
    this.viewport.render();
  }

  resize(): void {
    this.engine.resize(true, true);
  }

  close(): void {
    this.engine.disableElement(this.viewport.id);
  }

  private isMonochrome1(): boolean {
    return this.viewport.getCornerstoneImage().invert;
  }

  private axes(): Axes {
    const { origin, direction, spacing } = this.viewport.getImageData();
    return {
      origin: [...origin] as Vector3,
      alongColumns: [direction[0], direction[1], direction[2]],
      alongRows: [direction[3], direction[4], direction[5]],
      spacing: [spacing[0], spacing[1]],
    };
  }
}

/** Files with a window of 0/0 exist; Cornerstone would build a colour table of no width from it and draw negatives. */
function giveWindow(image: Types.IImage): void {
  if (first(image.windowWidth) > 1) return;
  image.windowCenter = (image.minPixelValue + image.maxPixelValue) / 2;
  image.windowWidth = Math.max(1, image.maxPixelValue - image.minPixelValue);
}

/** The loader loses some decoding errors without a word; a slice that takes this long has failed. */
function overdue(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('the frame took too long')), OVERDUE_MS));
}

function first(value: number | number[]): number {
  return Array.isArray(value) ? (value[0] ?? 0) : value;
}

function along(from: Vector3, direction: Vector3, length: number): Vector3 {
  return [from[0] + direction[0] * length, from[1] + direction[1] * length, from[2] + direction[2] * length];
}
