/**
 * What a study's page will need at once, asked for while the viewer's code is still on its way: the first series'
 * metadata and the frame that it opens with. Small, because it comes with the page itself.
 */
import { signal } from '@preact/signals';

import type { Study } from '../api/types';
import { openingIndex, type Frame } from './frames';
import { FrameStream, urlOf } from './frameStream';
import { SeriesLoader } from './seriesLoader';

const begun = new Set<string>();
const loaders = new Map<string, SeriesLoader>();
const streams = new Map<string, FrameStream>();

const first = signal<{ study_id: string; frame: Frame } | null>(null);

/** Starts once for each study; resolves when all is asked for. */
export async function fetchEarly(study: Study): Promise<void> {
  const series = study.series[0];
  if (!series || begun.has(study.study_id)) return;
  begun.add(study.study_id);
  const loader = new SeriesLoader(study);
  loaders.set(study.study_id, loader);
  // The viewer asks again and says what failed.
  const frames = await loader.frames(series.series_instance_uid).catch(() => []);
  const frame = frames[openingIndex(frames)];
  if (!frame?.plane) return;
  streams.set(frame.image_id, new FrameStream(urlOf(frame), frame.bytes, true));
  first.value = { study_id: study.study_id, frame };
}

/** The frame that the study opens with, as soon as it is known. */
export function firstFrame(study_id: string): Frame | null {
  return first.value?.study_id === study_id ? first.value.frame : null;
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
