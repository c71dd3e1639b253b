/** People as tiles: picture or name, who speaks, how the line is. */
import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

import { t } from '../i18n';
import { Icon } from '../viewer/icons';
import type { Participant } from '../shared/protocol';
import type { Call, Tile } from './call';
import { grade, plotPoints, type Quality } from './quality';
import './call.css';

type TilesProps = { call: Call; me: string; people: Participant[]; presenter: string | null; colorOf: (id: string) => string };

export function Tiles({ call, me, people, presenter, colorOf }: TilesProps) {
  return (
    <div class="tiles" data-count={people.length}>
      {people.map((one) => (
        <PersonTile key={one.id} call={call} person={one} mine={one.id === me} presents={one.id === presenter} color={colorOf(one.id)} />
      ))}
      {people.length < 2 && <p class="tile tile-waiting" data-testid="tile-waiting">{t('room.people.waiting')}</p>}
    </div>
  );
}

type PersonProps = { call: Call; person: Participant; mine: boolean; presents: boolean; color: string };

function PersonTile({ call, person, mine, presents, color }: PersonProps) {
  const tile = call.tiles.value[person.id];
  const stream = mine ? call.local.value : tile?.stream;
  const video = (mine ? call.video.value : person.video) && stream !== undefined && stream.getVideoTracks().length > 0;
  const audio = mine ? call.audio.value : person.audio;
  const speaking = call.speaking.value.has(person.id);
  return (
    <figure
      class={`tile${speaking ? ' tile-speaking' : ''}`}
      data-testid={`tile-${person.id}`}
      data-state={mine ? 'me' : (tile?.state ?? 'none')}
      data-frames={tile?.quality?.frames_decoded ?? 0}
      data-rtt={tile?.quality?.rtt_ms ?? ''}
    >
      {stream && <Picture stream={stream} version={tile?.version ?? 0} muted={mine} hidden={!video} mirrored={mine} />}
      {!video && <span class="tile-initial">{person.name.slice(-2)}</span>}
      {!mine && <Wait tile={tile} person={person} />}
      <figcaption>
        <Dot color={color} />
        <span class="tile-name">
          {person.name}
          {mine && `（${t('room.people.me')}）`}
        </span>
        {presents && <span class="tile-presents">{t('room.people.presenter')}</span>}
        {!audio && <Muted />}
        {tile?.quality && !mine && <Line quality={tile.quality} rtts={tile.rtts} />}
      </figcaption>
    </figure>
  );
}

function Muted() {
  return (
    <span class="tile-muted" title={t('call.tile.muted')}>
      <Icon name="mic_off" />
    </span>
  );
}

function Dot({ color }: { color: string }) {
  return (
    <svg width="8" height="8" aria-hidden="true">
      <circle cx="4" cy="4" r="4" fill={color} />
    </svg>
  );
}

function Wait({ tile, person }: { tile: Tile | undefined; person: Participant }) {
  if (person.state === 'reconnecting') return <span class="tile-state">{t('room.people.reconnecting')}</span>;
  if (!tile || tile.state === 'connected') return null;
  return <span class="tile-state">{t(`call.tile.${tile.state}`)}</span>;
}

type PictureProps = { stream: MediaStream; version: number; muted: boolean; hidden: boolean; mirrored: boolean };

function Picture({ stream, version, muted, hidden, mirrored }: PictureProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current!;
    if (video.srcObject !== stream) video.srcObject = stream;
    // Without a gesture sound is refused; entering the room was one, so only a stalled element comes here again.
    void video.play().catch(() => undefined);
  }, [stream, version]);
  return <video ref={ref} class={`${mirrored ? 'mirrored ' : ''}${hidden ? 'unseen' : ''}`} autoplay playsInline muted={muted} />;
}

const PLOT = { width: 60, height: 14 };

/** Round trip over the last two minutes; the words say the numbers of now. */
function Line({ quality, rtts }: { quality: Quality; rtts: number[] }): ComponentChildren {
  const words = t('call.quality', { rtt: quality.rtt_ms ?? '–', loss: quality.loss_percent });
  return (
    <span class={`tile-line line-${grade(quality)}`} title={words} aria-label={words}>
      <svg width={PLOT.width} height={PLOT.height} aria-hidden="true">
        <polyline points={plotPoints(rtts, PLOT.width, PLOT.height)} />
      </svg>
      {quality.rtt_ms !== null && `${quality.rtt_ms} ms`}
    </span>
  );
}
