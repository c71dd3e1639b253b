/** One's own camera and microphone: opened with what there is, and words for what there is not. */

export type Devices = { cameras: MediaDeviceInfo[]; microphones: MediaDeviceInfo[] };

/** A device id, 'default' for the browser's choice, 'none' for without. */
export type Choice = { camera: string; microphone: string };

export type Problem = 'no_camera' | 'no_microphone' | 'no_devices' | 'refused' | 'busy' | 'insecure';

export type LocalMedia = { stream: MediaStream; problem: Problem | null };

export type Source = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'>;

export const ANY_DEVICE: Choice = { camera: 'default', microphone: 'default' };

/** Enough to see a face and a film held up; the image itself never travels by video. */
const VIDEO = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Never rejects: a consultation must go on without camera and microphone. */
export async function openMedia(choice: Choice, source: Source | undefined): Promise<LocalMedia> {
  if (!source) return { stream: new MediaStream(), problem: 'insecure' };
  const wanted = constraints(choice);
  if (!wanted.audio && !wanted.video) return { stream: new MediaStream(), problem: null };
  try {
    return { stream: await source.getUserMedia(wanted), problem: null };
  } catch (error) {
    return wanted.audio && wanted.video ? openEach(wanted, source) : failed(error, wanted);
  }
}

/** Camera and microphone apart, because one missing device fails the request for both. */
async function openEach(wanted: MediaStreamConstraints, source: Source): Promise<LocalMedia> {
  const audio = await attempt(source, { audio: wanted.audio! });
  const video = audio.refused ? audio : await attempt(source, { video: wanted.video! });
  const tracks = [audio, video].flatMap(({ stream }) => stream?.getTracks() ?? []);
  return { stream: new MediaStream(tracks), problem: problemOf(audio, video) };
}

type Attempt = { stream: MediaStream | null; refused: boolean; busy: boolean };

async function attempt(source: Source, wanted: MediaStreamConstraints): Promise<Attempt> {
  try {
    return { stream: await source.getUserMedia(wanted), refused: false, busy: false };
  } catch (error) {
    return { stream: null, refused: nameOf(error) === 'NotAllowedError', busy: nameOf(error) === 'NotReadableError' };
  }
}

function problemOf(audio: Attempt, video: Attempt): Problem | null {
  if (audio.refused || video.refused) return 'refused';
  if (audio.busy || video.busy) return 'busy';
  if (!audio.stream && !video.stream) return 'no_devices';
  if (!video.stream) return 'no_camera';
  return audio.stream ? null : 'no_microphone';
}

function failed(error: unknown, wanted: MediaStreamConstraints): LocalMedia {
  const missing = wanted.video ? 'no_camera' : 'no_microphone';
  const problems: Record<string, Problem> = { NotAllowedError: 'refused', NotReadableError: 'busy' };
  return { stream: new MediaStream(), problem: problems[nameOf(error)] ?? missing };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function constraints({ camera, microphone }: Choice): MediaStreamConstraints {
  return {
    video: camera === 'none' ? false : { ...VIDEO, ...exactly(camera) },
    audio: microphone === 'none' ? false : { ...AUDIO, ...exactly(microphone) },
  };
}

function exactly(device: string): MediaTrackConstraints {
  return device === 'default' ? {} : { deviceId: { exact: device } };
}

export async function listDevices(source: Source | undefined): Promise<Devices> {
  const all = (await source?.enumerateDevices()) ?? [];
  return {
    cameras: all.filter((device) => device.kind === 'videoinput' && device.deviceId),
    microphones: all.filter((device) => device.kind === 'audioinput' && device.deviceId),
  };
}

export function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
