/** Moving pictures: how fast the file wants to be played, and which frame comes next. Pure. */
import { number, numbers } from './dicomJson';
import type { Frame } from './frames';

const USUAL_RATE = 15;
const SLOWEST = 1;
const FASTEST = 60;

/** Frames per second: as recommended (0008,2144), as acquired (0018,0040), by frame time (0018,1063; 1065), else usual. */
export function frameRate({ instance }: Frame): number {
  const times = numbers(instance, '00181065').filter((ms) => ms > 0);
  const average = times.length > 0 ? times.reduce((sum, ms) => sum + ms, 0) / times.length : null;
  const ms = number(instance, '00181063') ?? average;
  const candidates = [number(instance, '00082144'), number(instance, '00180040'), ms && 1000 / ms];
  const rate = candidates.find((one) => typeof one === 'number' && one > 0) ?? USUAL_RATE;
  return Math.min(FASTEST, Math.max(SLOWEST, rate));
}

/** Whether there is something to play: several frames of one object, but not the tiles of a slide. */
export function isCine(frames: Frame[], index: number): boolean {
  const frame = frames[index];
  if (!frame?.plane || frame.modality === 'SM') return false;
  return [index - 1, index + 1].some((near) => frames[near]?.sop_instance_uid === frame.sop_instance_uid);
}

/** The next frame of the object that is shown, after its last one the first again. */
export function nextFrame(frames: Frame[], index: number): number {
  const uid = frames[index]?.sop_instance_uid;
  if (frames[index + 1]?.sop_instance_uid === uid) return index + 1;
  return frames.findIndex((frame) => frame.sop_instance_uid === uid);
}
