/** The media side of a room: one link to each of the first four people, their quality, one's own tracks. */
import { effect, signal, type Signal } from '@preact/signals';

import type { Participant, ServerMessage, SignalBody } from '../shared/protocol';
import type { RoomClient } from '../shared/roomClient';
import { roster } from '../shared/roomState';
import { LevelMeter } from './level';
import { PeerLink, type LinkState } from './peerLink';
import { counters, quality, remember, type Counters, type Quality } from './quality';

/** Beyond this a mesh costs every bedside uplink too much; the SFU of a later version takes over. */
export const MESH_SIZE = 4;
const STATS_MS = 2000;
const SPEAKING_MS = 150;

export type Tile = {
  stream: MediaStream;
  state: LinkState;
  quality: Quality | null;
  rtts: number[];
  /** grows with every change of tracks, so that a view of the same stream renders again */
  version: number;
};

type Member = { link: PeerLink; counters: Counters | null; meter: LevelMeter | null };

export class Call {
  readonly tiles: Signal<Record<string, Tile>> = signal({});
  readonly speaking: Signal<ReadonlySet<string>> = signal(new Set());
  readonly local: Signal<MediaStream>;
  readonly audio = signal(true);
  readonly video = signal(true);
  private readonly members = new Map<string, Member>();
  private readonly timers: ReturnType<typeof setInterval>[];
  private readonly unfollow: () => void;
  private localMeter: LevelMeter | null = null;
  private wasOpen = false;

  constructor(private readonly client: RoomClient, local: MediaStream, private readonly ice: RTCIceServer[]) {
    this.local = signal(local);
    this.audio.value = local.getAudioTracks().length > 0;
    this.video.value = local.getVideoTracks().length > 0;
    this.localMeter = meterOf(local);
    this.unfollow = effect(() => this.follow());
    this.timers = [setInterval(() => void this.measure(), STATS_MS), setInterval(() => this.listen(), SPEAKING_MS)];
  }

  /** Messages of the room that concern media. */
  receive(message: ServerMessage): void {
    if (message.k !== 'signal' || !message.from) return;
    const participant = this.client.state.peek().participants[message.from];
    if (participant) this.member(participant).link.receive(message.b as SignalBody);
  }

  toggleAudio(): void {
    this.audio.value = toggle(this.local.value.getAudioTracks(), this.audio.value);
    this.announce();
  }

  toggleVideo(): void {
    this.video.value = toggle(this.local.value.getVideoTracks(), this.video.value);
    this.announce();
  }

  close(): void {
    this.unfollow();
    for (const timer of this.timers) clearInterval(timer);
    for (const id of this.members.keys()) this.drop(id);
    this.localMeter?.close();
  }

  /** People come and go with the roster; a link that is away holds its media as long as the media holds. */
  private follow(): void {
    const open = this.client.link.value.phase === 'open';
    const state = this.client.state.value;
    if (!state.me) return;
    const inMesh = roster(state).slice(0, MESH_SIZE);
    const others = inMesh.some((one) => one.id === state.me) ? inMesh.filter((one) => one.id !== state.me) : [];
    for (const one of others) if (one.state === 'online') this.member(one);
    for (const id of this.members.keys()) if (!others.some((one) => one.id === id)) this.drop(id);
    if (open && !this.wasOpen) this.signallingBack();
    this.wasOpen = open;
  }

  private signallingBack(): void {
    this.announce();
    for (const { link } of this.members.values()) link.signallingBack();
  }

  private announce(): void {
    const [audio, video] = [this.audio.peek(), this.video.peek()];
    // A command changes the room's state; inside the effect that follows that state it must wait.
    queueMicrotask(() => this.client.command('media.set', { audio, video, screen: false }));
  }

  private member(participant: Participant): Member {
    const known = this.members.get(participant.id);
    if (known) return known;
    const { id } = participant;
    const me = this.client.state.peek();
    const polite = (me.participants[me.me]?.ordinal ?? 0) > participant.ordinal;
    const send = (body: SignalBody) => this.client.post('signal', { to: id, ...body });
    const link = new PeerLink({ polite, ice: this.ice, send, changed: () => this.publish(id) });
    const member = { link, counters: null, meter: null };
    this.members.set(id, member);
    link.start(this.local.peek());
    queueMicrotask(() => this.publish(id));
    return member;
  }

  private drop(id: string): void {
    const member = this.members.get(id);
    member?.link.close();
    member?.meter?.close();
    this.members.delete(id);
    const { [id]: _gone, ...tiles } = this.tiles.peek();
    this.tiles.value = tiles;
  }

  private publish(id: string, change: Partial<Tile> = {}): void {
    const member = this.members.get(id);
    if (!member) return;
    const before = this.tiles.peek()[id] ?? { quality: null, rtts: [], version: 0 };
    const { remote: stream, state } = member.link;
    member.meter ??= meterOf(stream);
    this.tiles.value = { ...this.tiles.peek(), [id]: { ...before, stream, state, ...change, version: before.version + 1 } };
  }

  private async measure(): Promise<void> {
    for (const [id, member] of this.members) {
      const report = await member.link.stats();
      const now = counters(report.values(), Date.now());
      const measured = quality(member.counters, now);
      member.counters = now;
      const rtts = remember(this.tiles.peek()[id]?.rtts ?? [], measured.rtt_ms ?? 0);
      this.publish(id, { quality: measured, rtts });
    }
  }

  private listen(): void {
    const now = Date.now();
    const loud = [...this.members].filter(([, { meter }]) => meter?.speaking(now)).map(([id]) => id);
    const me = this.client.state.peek().me;
    if (this.audio.peek() && this.localMeter?.speaking(now)) loud.push(me);
    const before = this.speaking.peek();
    if (loud.length !== before.size || loud.some((id) => !before.has(id))) this.speaking.value = new Set(loud);
  }
}

function toggle(tracks: MediaStreamTrack[], on: boolean): boolean {
  for (const track of tracks) track.enabled = !on;
  return tracks.length > 0 && !on;
}

function meterOf(stream: MediaStream): LevelMeter | null {
  return stream.getAudioTracks().length > 0 ? new LevelMeter(stream) : null;
}
