/**
 * What a study's page will need at once, asked for while the viewer's code is still on its way: the first series'
 * metadata and the frame that it opens with. Small, because it comes with the page itself.
 */
import type { Study } from '../api/types';
import { openingIndex, type Frame } from './frames';
import { FrameStream } from './frameStream';
import { SeriesLoader } from './seriesLoader';

const begun = new Set<string>();
const loaders = new Map<string, SeriesLoader>();
const streams = new Map<string, FrameStream>();

/** Starts once for each study; `series_instance_uid`: other than the first. */
export function fetchEarly(study: Study, series_instance_uid = study.series[0]?.series_instance_uid): void {
  if (!series_instance_uid || begun.has(study.study_id)) return;
  begun.add(study.study_id);
  const loader = new SeriesLoader(study);
  loaders.set(study.study_id, loader);
  // The viewer asks again and says what failed.
  loader.frames(series_instance_uid).then(fetchFirst, () => undefined);
}

function fetchFirst(frames: Frame[]): void {
  const first = frames[openingIndex(frames)];
  if (first?.plane) streams.set(first.image_id, new FrameStream(first.image_id.slice('wadors:'.length), first.bytes, true));
}

/** The loader of a study, with what it has fetched; it belongs to the caller from then on. */
export function takeLoader(study: ConstructorParameters<typeof SeriesLoader>[0]): SeriesLoader {
  const loader = loaders.get(study.study_id) ?? new SeriesLoader(study);
  loaders.delete(study.study_id);
  return loader;
}

export function takeEarly(image_id: string): FrameStream | undefined {
  const stream = streams.get(image_id);
  streams.delete(image_id);
  return stream;
}
