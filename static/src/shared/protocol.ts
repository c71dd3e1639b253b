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
  /** which of several pictures side by side; left out for the first */
  viewport?: string;
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

/** A drawing on somebody's video, kept beside the marks on images. */
export type VideoMark = {
  id: string;
  kind: 'arrow' | 'ellipse' | 'freehand' | 'point';
  /** participant and track id of the video */
  of: string;
  track: string;
  /** of the frame it was drawn on, milliseconds of the sender's media clock */
  frame_time: number;
  /** shares of the picture without borders, 0/0 top left */
  points: Point[];
  /** the frozen picture it was drawn on; empty while the video moved */
  frozen: string;
  /** shown that long; 0 until it is removed */
  ttl_ms: number;
  text: string;
  color: string;
  author?: string;
  author_name?: string;
};

export type Track = {
  id: string;
  kind: 'audio' | 'video';
  source: 'microphone' | 'camera' | 'screen' | 'device';
  label: string;
  /** 0 goes first when the link is thin, 9 last */
  priority: number;
};

export type Entry = { key: string; value: unknown; author_name: string; rev: number; from: string; at: string };
export type Agreed = { version: string; sha256: string; at: string };
export type Consents = Record<string, Partial<Record<'media' | 'record', Agreed>>>;
export type RecordingState = { state: 'on' | 'fault'; reason: string; from: string; at: string };
export type MarksLock = { locked: true; reason: string; from: string; at: string };
export type MediaMode = 'mesh' | 'sfu';
export type LinkQuality = {
  peer: string;
  rtt_ms: number | null;
  /** 0 to 1 since the last report */
  loss: number | null;
  kbps: number | null;
  freezes: number;
  delay_ms: number | null;
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
  /** outside, until the host admits */
  waiting: boolean;
  /** shows what the presenter shows */
  following: boolean;
  audio: boolean;
  video: boolean;
  screen: boolean;
  tracks: Track[];
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
  scope: string;
  participants: Participant[];
  presenter: string | null;
  recording: RecordingState | null;
  media_mode: MediaMode;
  marks_locked: MarksLock | null;
  consents: Consents;
  state: Record<string, KeyedState>;
  entries: Entry[];
  chat: ServerMessage[];
  marks: (Mark | VideoMark)[];
};

export type Welcome = {
  me: string;
  waiting: boolean;
  room: string;
  recovered: boolean;
  resume_token: string;
  snapshot: Snapshot;
  events: ServerMessage[];
  timers: Timers;
  limits: Record<string, number>;
  features: string[];
};

/** scope: what the room was about when the person acted */
export type Command = { id: string; k: string; b: unknown; scope: string };

export type SignalBody = {
  description?: RTCSessionDescriptionInit;
  candidate?: RTCIceCandidateInit | null;
  /** which of several connections of the two, and the negotiation it belongs to */
  pc?: string;
  neg?: number;
};

/** What this client can do beyond the first version 1; told at every opening. */
export const FEATURES: readonly string[] = [
  'lobby',
  'scopes',
  'entries',
  'viewports',
  'video_marks',
  'consent',
  'recording',
  'media_mode',
  'tracks',
  'quality',
  'redirect',
];

/** What to do after a close: the ranges are the protocol's, everything below 4000 is the network's own doing. */
export type CloseVerdict = 'resume' | 'new_ticket' | 'stay_away';

const TICKET_STALE = 4014;

export const MOVED = 4002;

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
