/** Camera and microphone before entering: see yourself, see the level move, choose another device, or go without. */
import { useEffect, useRef, useState } from 'preact/hooks';

import { t } from '../i18n';
import { LevelMeter } from './level';
import { ANY_DEVICE, listDevices, openMedia, stop, type Choice, type Devices, type LocalMedia } from './media';
import './call.css';

const KEPT_AS = 'telemed.devices';
const SILENT_MS = 5000;
const HEARD = 0.01;
const LEVEL_MS = 80;
/** Whoever enters at once still brings camera and voice; a question nobody answers holds nobody up. */
const OPENING_MS = 3000;

function kept(): Choice {
  try {
    return { ...ANY_DEVICE, ...(JSON.parse(localStorage.getItem(KEPT_AS) ?? '{}') as Partial<Choice>) };
  } catch {
    return ANY_DEVICE;
  }
}

export type DeviceState = { media: LocalMedia | null; devices: Devices; choice: Choice; choose: (choice: Choice) => void; release: () => Promise<MediaStream> };

/** Opens the chosen devices; the stream is stopped with the page unless `release` handed it on. */
export function useDevices(): DeviceState {
  const [choice, setChoice] = useState<Choice>(kept);
  const [media, setMedia] = useState<LocalMedia | null>(null);
  const [devices, setDevices] = useState<Devices>({ cameras: [], microphones: [] });
  const handedOn = useRef(false);
  const opening = useRef<Promise<LocalMedia> | null>(null);
  useEffect(() => {
    let current: LocalMedia | null = null;
    let gone = false;
    setMedia(null);
    opening.current = openMedia(choice, navigator.mediaDevices);
    void opening.current.then(async (opened) => {
      if (gone) return stop(opened.stream);
      current = opened;
      setMedia(opened);
      // Names are told only after permission was given.
      setDevices(await listDevices(navigator.mediaDevices));
    });
    return () => {
      gone = true;
      if (current && !handedOn.current) stop(current.stream);
    };
  }, [choice]);
  const choose = (next: Choice) => {
    localStorage.setItem(KEPT_AS, JSON.stringify(next));
    setChoice(next);
  };
  const release = async () => {
    const late = new Promise<null>((resolve) => setTimeout(resolve, OPENING_MS, null));
    const opened = media ?? (await Promise.race([opening.current!, late]));
    handedOn.current = opened !== null;
    return opened?.stream ?? new MediaStream();
  };
  return { media, devices, choice, choose, release };
}

export function DeviceCheck({ state }: { state: DeviceState }) {
  const { media, devices, choice, choose } = state;
  return (
    <div class="device-check">
      <Preview media={media} />
      <div class="device-choices">
        <DeviceChoice label={t('call.check.camera')} testid="device-camera" devices={devices.cameras} value={choice.camera} onChange={(camera) => choose({ ...choice, camera })} />
        <DeviceChoice label={t('call.check.microphone')} testid="device-microphone" devices={devices.microphones} value={choice.microphone} onChange={(microphone) => choose({ ...choice, microphone })} />
        {media && media.stream.getAudioTracks().length > 0 && <Level key={media.stream.id} stream={media.stream} />}
        {media?.problem && <Trouble problem={media.problem} retry={() => choose({ ...choice })} />}
      </div>
    </div>
  );
}

function Preview({ media }: { media: LocalMedia | null }) {
  const ref = useRef<HTMLVideoElement>(null);
  const visible = media !== null && media.stream.getVideoTracks().length > 0;
  useEffect(() => {
    if (ref.current) ref.current.srcObject = media?.stream ?? null;
  }, [media, visible]);
  if (!media) return <p class="device-preview device-waiting">{t('call.check.asking')}</p>;
  if (!visible) return <p class="device-preview device-waiting">{t('call.tile.no_video')}</p>;
  return <video ref={ref} class="device-preview mirrored" autoplay playsInline muted data-testid="device-preview" />;
}

function Trouble({ problem, retry }: { problem: string; retry: () => void }) {
  return (
    <p class="device-trouble" role="status" data-testid="device-problem" data-problem={problem}>
      {t(`call.state.${problem}`)}{' '}
      <button type="button" class="button" onClick={retry}>
        {t('call.retry')}
      </button>
    </p>
  );
}

type ChoiceProps = { label: string; testid: string; devices: MediaDeviceInfo[]; value: string; onChange: (value: string) => void };

function DeviceChoice({ label, testid, devices, value, onChange }: ChoiceProps) {
  const known = value === 'none' || devices.some(({ deviceId }) => deviceId === value);
  return (
    <label class="device-choice">
      <span>{label}</span>
      <select value={known ? value : 'default'} onChange={(event) => onChange(event.currentTarget.value)} data-testid={testid}>
        {!devices.some(({ deviceId }) => deviceId === 'default') && <option value="default">{devices[0]?.label || '—'}</option>}
        {devices.map(({ deviceId, label: name }) => (
          <option key={deviceId} value={deviceId}>
            {name}
          </option>
        ))}
        <option value="none">{t('call.check.none')}</option>
      </select>
    </label>
  );
}

function Level({ stream }: { stream: MediaStream }) {
  const [level, setLevel] = useState(0);
  const [silent, setSilent] = useState(false);
  useEffect(() => {
    const meter = new LevelMeter(stream);
    let heardAt = Date.now();
    const timer = setInterval(() => {
      const now = meter.level();
      if (now > HEARD) heardAt = Date.now();
      setLevel(now);
      setSilent(Date.now() - heardAt > SILENT_MS);
    }, LEVEL_MS);
    return () => {
      clearInterval(timer);
      meter.close();
    };
  }, [stream]);
  return (
    <div class="device-level">
      <meter min={0} max={0.3} value={level} aria-label={t('call.check.level')} data-testid="device-level" />
      <span>{t(silent ? 'call.check.silent' : 'call.check.speak')}</span>
    </div>
  );
}
