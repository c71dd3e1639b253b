/** The words of docs/protocol.md, version 1, as types. */

export const PROTOCOL_VERSION = 1;

export type Point = [number, number];

export type View = {
  study: string;
  series_instance_uid: string;
  sop_instance_uid: string;
  /** counts from 1 */
  frame: number;
  window_center: number;
  window_width: number;
  /** 1 fits the image into the viewport */
  zoom: number;
  /** image pixels (columns, rows) from the centred position */
  pan: Point;
  /** degrees clockwise */
  rotation: number;
  flip_h: boolean;
  flip_v: boolean;
  invert: boolean;
};

export type MarkKind = 'length' | 'arrow' | 'ellipse' | 'rectangle' | 'freehand' | 'probe' | 'angle';

export type Mark = {
  id: string;
  kind: MarkKind;
  study: string;
  series_instance_uid: string;
  sop_instance_uid: string;
  frame: number;
  /** columns and rows in pixels, 0/0 = outer corner of the first pixel */
  points: Point[];
  text: string;
  color: string;
  author?: string;
  author_name?: string;
};

export type PointerBody = { study: string; sop_instance_uid: string; frame: number; x: number; y: number };

export type Participant = {
  id: string;
  person: string;
  name: string;
  title: string;
  hospital: string;
  role: string;
  grants: string[];
  ordinal: number;
  state: 'online' | 'reconnecting';
  audio: boolean;
  video: boolean;
  screen: boolean;
};

export type Timers = { ping_ms: number; dead_ms: number; hidden_dead_ms: number; seat_ms: number; backoff_ms: number[] };

export type ServerMessage = {
  v?: number;
  k: string;
  re?: string;
  seq?: number;
  epoch?: string;
  from?: string;
  at?: string;
  key?: string;
  b?: unknown;
};

export type KeyedState = { from: string; at: string; b: unknown };

export type Snapshot = {
  epoch: string;
  seq: number;
  participants: Participant[];
  presenter: string | null;
  state: Record<string, KeyedState>;
  chat: ServerMessage[];
  marks: Mark[];
};

export type Welcome = {
  me: string;
  room: string;
  recovered: boolean;
  resume_token: string;
  snapshot: Snapshot;
  events: ServerMessage[];
  timers: Timers;
  limits: Record<string, number>;
  features: string[];
};

export type Command = { id: string; k: string; b: unknown };

export type SignalBody = {
  description?: RTCSessionDescriptionInit;
  candidate?: RTCIceCandidateInit | null;
};

/** What to do after a close: the ranges are the protocol's, everything below 4000 is the network's own doing. */
export type CloseVerdict = 'resume' | 'new_ticket' | 'stay_away';

const TICKET_STALE = 4014;

export function closeVerdict(code: number): CloseVerdict {
  if (code === TICKET_STALE) return 'new_ticket';
  return code >= 4500 && code <= 4999 ? 'stay_away' : 'resume';
}

const SENTENCES: Record<number, string> = {
  4501: 'room.closed.ticket',
  4503: 'room.closed.removed',
  4504: 'room.closed.over',
  4509: 'room.closed.replaced',
  4511: 'room.closed.protocol',
};

/** The message key of the sentence that tells a person why the room shut them out. */
export function closeSentence(code: number): string {
  return SENTENCES[code] ?? 'room.closed.other';
}
