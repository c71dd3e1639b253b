/** From a frame's bytes to Cornerstone images: rough ones from the first bytes where the stream allows, then the exact one. */
import { cache, Enums, type Types } from '@cornerstonejs/core';
import { createImage, wadors } from '@cornerstonejs/dicom-image-loader';

import { resolutions, type Resolution } from './codeStream';
import { takeEarly } from './early';
import type { Frame } from './frames';
import { FrameStream, PROGRESSIVE, urlOf } from './frameStream';

/** reduction: how many pixels of the frame are one of the image, in each direction. */
export type Rough = { image: Types.IImage; reduction: number };
type Listener = (rough: Rough) => void;

/** Pixels along the longer side that a reader can use: where is what, how is it placed, is it the right image. */
const USABLE_PIXELS = 250;

/** Who wants to see rough images of a frame that is on its way, by image id. */
const watching = new Map<string, Listener>();

/** The exact image, kept in Cornerstone's cache. `watch` is given rough ones while it is on its way. */
export async function loadFrame(frame: Frame, urgent: boolean, watch?: Listener): Promise<Types.IImage> {
  const id = frame.image_id;
  if (watch) watching.set(id, watch);
  try {
    const kept = cache.getImageLoadObject(id);
    if (kept) return (await kept.promise) as Types.IImage;
    const promise = fetched(frame, urgent);
    cache.putImageLoadObject(id, { promise }).catch(() => undefined);
    return await promise;
  } finally {
    if (watch && watching.get(id) === watch) watching.delete(id);
  }
}

async function fetched(frame: Frame, urgent: boolean): Promise<Types.IImage> {
  const stream = takeEarly(frame.image_id) ?? new FrameStream(urlOf(frame), frame.bytes, urgent);
  const rough = new RoughImages(frame, stream);
  stream.onMore(() => rough.look());
  const bytes = await stream.whole;
  rough.end();
  return create(frame.image_id, bytes, stream.syntax, 0, urgent);
}

/** Decodes what has come of a progressive stream, one resolution after the other, never two at once. */
class RoughImages {
  private table: Resolution[] | null = null;
  private level = Infinity;
  private busy = false;
  private ended = false;

  constructor(
    private readonly frame: Frame,
    private readonly stream: FrameStream,
  ) {}

  end(): void {
    this.ended = true;
  }

  look(): void {
    const { frame, stream } = this;
    if (this.ended || this.busy || stream.syntax !== PROGRESSIVE || !watching.has(frame.image_id)) return;
    this.table ??= resolutions(stream.got);
    const best = this.table?.findLast(({ bytes }) => bytes <= stream.got.length);
    if (best && best.level > 0 && best.level < this.level && this.isUsable(best)) void this.show(best);
  }

  private isUsable({ level }: Resolution): boolean {
    const { plane } = this.frame;
    return plane !== null && Math.max(plane.columns, plane.rows) / 2 ** level >= USABLE_PIXELS;
  }

  private async show({ level, bytes }: Resolution): Promise<void> {
    this.busy = true;
    this.level = level;
    const id = `${this.frame.image_id}#${level}`;
    wadors.metaDataManager.add(id, this.frame.instance as never);
    const image = await create(id, this.stream.got.slice(0, bytes), PROGRESSIVE, level, true).catch(() => null);
    this.busy = false;
    if (image && !this.ended) watching.get(this.frame.image_id)?.({ image, reduction: 2 ** level });
    this.look();
  }
}

function create(id: string, bytes: Uint8Array, syntax: string, decodeLevel: number, urgent: boolean): Promise<Types.IImage> {
  const requestType = urgent ? Enums.RequestType.Interaction : Enums.RequestType.Prefetch;
  const options = { useRGBA: false, decodeLevel, requestType, priority: urgent ? 0 : 5 };
  return createImage(id, bytes as never, syntax, options as never) as unknown as Promise<Types.IImage>;
}
