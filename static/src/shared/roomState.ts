/**
 * The client's mirror of a room: a pure reducer over server messages.
 *
 * `confirmed` facts come from the server only; commands that are under way live in `pending` and are laid over them by
 * the selectors at the end, so that an answer or a refusal never has to be undone by hand.
 */
import type {
  Command,
  Consents,
  Entry,
  KeyedState,
  LinkQuality,
  Mark,
  MarksLock,
  MediaMode,
  Participant,
  PointerBody,
  RecordingState,
  ServerMessage,
  Snapshot,
  VideoMark,
  View,
  Welcome,
} from './protocol';

/** `name` is the author's at the time of writing: people leave, their lines stay. */
export type ChatLine = { key: string; from: string; name: string; text: string; at: string; pending: boolean };
export type ControlRequest = { from: string; seq: number };
export type Notice = { topic: string; id: string; count: number };

export type RoomState = {
  me: string;
  /** outside: nothing is known but oneself */
  waiting: boolean;
  room: string;
  epoch: string;
  /** what the room is about; nothing here is of another scope */
  scope: string;
  /** the last durable event that was applied; the next must be one more */
  seq: number;
  participants: Record<string, Participant>;
  presenter: string | null;
  recording: RecordingState | null;
  mediaMode: MediaMode;
  lock: MarksLock | null;
  consents: Consents;
  keyed: Record<string, KeyedState>;
  entries: Record<string, Entry>;
  chat: ChatLine[];
  marks: Record<string, Mark | VideoMark>;
  pointers: Record<string, PointerBody>;
  requests: ControlRequest[];
  notice: Notice | null;
  /** true after a durable event was missed: the driver must resume from `seq` */
  gap: boolean;
  pending: Command[];
};

export const EMPTY_ROOM: RoomState = {
  me: '',
  waiting: false,
  room: '',
  epoch: '',
  scope: '',
  seq: 0,
  participants: {},
  presenter: null,
  recording: null,
  mediaMode: 'mesh',
  lock: null,
  consents: {},
  keyed: {},
  entries: {},
  chat: [],
  marks: {},
  pointers: {},
  requests: [],
  notice: null,
  gap: false,
  pending: [],
};

export function applyServer(state: RoomState, message: ServerMessage): RoomState {
  if (message.k === 'welcome') return applyWelcome(state, message.b as Welcome);
  if (message.k === 'ok' || (message.k === 'err' && !isTemporary(message))) return settle(state, message.re ?? '');
  if (message.epoch && state.epoch && message.epoch !== state.epoch) return { ...state, gap: true };
  if (message.seq !== undefined) return applyDurable(state, message, message.seq);
  if (message.key !== undefined) return applyKeyed(state, message.key, message);
  return applyEphemeral(state, message);
}

/** A temporary refusal leaves the command pending: the driver sends it again a little later. */
export function isTemporary(message: ServerMessage): boolean {
  return (message.b as { temporary?: boolean } | undefined)?.temporary === true;
}

function applyWelcome(state: RoomState, welcome: Welcome): RoomState {
  const recovered = welcome.recovered && welcome.snapshot.epoch === state.epoch;
  const base = recovered ? replaceKeyed(state, welcome.snapshot) : fromSnapshot(state, welcome.snapshot);
  const opened = { ...base, me: welcome.me, waiting: welcome.waiting, room: welcome.room, gap: false, pointers: {} };
  const caughtUp = welcome.events.reduce(applyServer, opened);
  // What the snapshot says without history is newer than any of the events that were missed.
  return recovered ? replaceKeyed(caughtUp, welcome.snapshot) : caughtUp;
}

function fromSnapshot(state: RoomState, snapshot: Snapshot): RoomState {
  return {
    ...replaceKeyed(state, snapshot),
    epoch: snapshot.epoch,
    seq: snapshot.seq,
    chat: snapshot.chat.map(chatLine),
    entries: Object.fromEntries(snapshot.entries.map((entry) => [entry.key, entry])),
    marks: Object.fromEntries(snapshot.marks.map((mark) => [mark.id, mark])),
    requests: [],
  };
}

/** Who is here, who presents and the keyed values have no history: the newest set is the whole truth. */
function replaceKeyed(state: RoomState, snapshot: Snapshot): RoomState {
  const participants = Object.fromEntries(snapshot.participants.map((one) => [one.id, one]));
  return {
    ...state,
    scope: snapshot.scope,
    participants,
    presenter: snapshot.presenter,
    recording: snapshot.recording,
    mediaMode: snapshot.media_mode,
    lock: snapshot.marks_locked,
    consents: snapshot.consents,
    keyed: { ...snapshot.state },
  };
}

function settle(state: RoomState, id: string): RoomState {
  const pending = state.pending.filter((command) => command.id !== id);
  return pending.length === state.pending.length ? state : { ...state, pending };
}

function applyDurable(state: RoomState, message: ServerMessage, seq: number): RoomState {
  if (seq <= state.seq) return state;
  if (seq > state.seq + 1) return { ...state, gap: true };
  return { ...durableEffect(state, message), seq };
}

function durableEffect(state: RoomState, message: ServerMessage): RoomState {
  const body = message.b as Record<string, unknown>;
  switch (message.k) {
    case 'chat.sent':
      return { ...state, chat: [...state.chat, chatLine(message)] };
    case 'mark.added':
    case 'mark.edited': {
      const mark = body['mark'] as Mark;
      return { ...state, marks: { ...state.marks, [mark.id]: mark } };
    }
    case 'mark.removed': {
      const { [String(body['id'])]: _removed, ...marks } = state.marks;
      return { ...state, marks };
    }
    case 'control.requested':
      return withRequest(state, { from: message.from ?? '', seq: message.seq ?? 0 });
    case 'control.changed':
      return { ...state, presenter: (body['presenter'] as string | null) ?? null, requests: [] };
    case 'entry.changed':
      return { ...state, entries: { ...state.entries, [String(body['key'])]: { ...(body as Entry), rev: message.seq ?? 0, ...stamps(message) } } };
    case 'marks.locked':
      return { ...state, lock: body['locked'] ? { ...(body as MarksLock), ...stamps(message) } : null };
    case 'record.changed':
      return { ...state, recording: body['state'] === 'off' ? null : { ...(body as RecordingState), ...stamps(message) } };
    case 'media.mode_changed':
      return { ...state, mediaMode: body['mode'] as MediaMode };
    case 'consent.given':
      return { ...state, consents: withConsent(state.consents, message, body as ConsentBody) };
    case 'consent.withdrawn':
      return { ...state, consents: withoutConsent(state.consents, message.from ?? '', body['purpose'] as Purpose) };
    default:
      return state;
  }
}

type Purpose = 'media' | 'record';
type ConsentBody = { purposes: Purpose[]; version: string; sha256: string };

function stamps({ from = '', at = '' }: ServerMessage): { from: string; at: string } {
  return { from, at };
}

function withConsent(consents: Consents, { from = '', at = '' }: ServerMessage, { purposes, version, sha256 }: ConsentBody): Consents {
  const given = Object.fromEntries(purposes.map((purpose) => [purpose, { version, sha256, at }]));
  return { ...consents, [from]: { ...consents[from], ...given } };
}

function withoutConsent(consents: Consents, from: string, purpose: Purpose): Consents {
  const { [purpose]: _withdrawn, ...left } = consents[from] ?? {};
  return { ...consents, [from]: left };
}

function withRequest(state: RoomState, request: ControlRequest): RoomState {
  return { ...state, requests: [...state.requests.filter((one) => one.from !== request.from), request] };
}

function applyKeyed(state: RoomState, key: string, message: ServerMessage): RoomState {
  if (message.k === 'participant') return applyParticipant(state, key.slice('participant:'.length), message.b);
  const value = { from: message.from ?? '', at: message.at ?? '', b: message.b };
  return { ...state, keyed: { ...state.keyed, [key]: value } };
}

function applyParticipant(state: RoomState, id: string, body: unknown): RoomState {
  if (body) return { ...state, participants: { ...state.participants, [id]: body as Participant } };
  const { [id]: _gone, ...participants } = state.participants;
  const { [id]: _pointer, ...pointers } = state.pointers;
  const { [`quality:${id}`]: _quality, ...keyed } = state.keyed;
  return { ...state, participants, pointers, keyed, requests: state.requests.filter((one) => one.from !== id) };
}

function applyEphemeral(state: RoomState, message: ServerMessage): RoomState {
  if (message.k === 'pointer' && message.from) return applyPointer(state, message.from, message.b as PointerBody | null);
  if (message.k === 'notice') {
    const { topic, id } = message.b as { topic: string; id: string };
    return { ...state, notice: { topic, id, count: (state.notice?.count ?? 0) + 1 } };
  }
  return state;
}

function applyPointer(state: RoomState, from: string, body: PointerBody | null): RoomState {
  if (body) return { ...state, pointers: { ...state.pointers, [from]: body } };
  const { [from]: _hidden, ...pointers } = state.pointers;
  return { ...state, pointers };
}

function chatLine(message: ServerMessage): ChatLine {
  const { text, author_name = '' } = message.b as { text: string; author_name?: string };
  return { key: `s${message.seq}`, from: message.from ?? '', name: author_name, text, at: message.at ?? '', pending: false };
}

/** Remembers a command until the server answers it; what is remembered is sent again after a resume. */
export function withPending(state: RoomState, command: Command): RoomState {
  return { ...state, pending: [...state.pending, command] };
}

export function withoutPending(state: RoomState, id: string): RoomState {
  return settle(state, id);
}

/** Chat as its author wants to see it: confirmed lines, then those under way. */
export function shownChat(state: RoomState): ChatLine[] {
  const unanswered = state.pending.filter(({ k, scope }) => k === 'chat.send' && scope === state.scope);
  return [...state.chat, ...unanswered.map((command) => pendingLine(state.me, command))];
}

function pendingLine(me: string, command: Command): ChatLine {
  return { key: command.id, from: me, name: '', text: (command.b as { text: string }).text, at: '', pending: true };
}

/** Marks on images, with one's own unanswered additions, edits and removals already applied. */
export function shownMarks(state: RoomState): Mark[] {
  return allMarks(state).filter((mark): mark is Mark => !('track' in mark));
}

/** The same for marks on videos. */
export function shownVideoMarks(state: RoomState): VideoMark[] {
  return allMarks(state).filter((mark): mark is VideoMark => 'track' in mark);
}

const DRAWING = ['mark.add', 'mark.edit', 'video_mark.add'];

function allMarks(state: RoomState): (Mark | VideoMark)[] {
  const marks = { ...state.marks };
  for (const { k, b, scope } of state.pending) if (scope === state.scope) overlayMark(marks, state, k, b);
  return Object.values(marks);
}

function overlayMark(marks: RoomState['marks'], state: RoomState, kind: string, body: unknown): void {
  if (kind === 'mark.remove') delete marks[(body as { id: string }).id];
  if (!DRAWING.includes(kind)) return;
  const { mark } = body as { mark: Mark | VideoMark };
  const author_name = state.participants[state.me]?.name ?? '';
  marks[mark.id] = { ...mark, author: state.me, author_name };
}

export function sharedView(state: RoomState, viewport = ''): View | null {
  return (state.keyed[viewport ? `view:${viewport}` : 'view']?.b as View | undefined) ?? null;
}

/** A state set by `state.set`, for example a layout or a frozen frame. */
export function sharedState(state: RoomState, key: string): unknown {
  return state.keyed[`state:${key}`]?.b;
}

export function linkQuality(state: RoomState, id: string): LinkQuality[] {
  return (state.keyed[`quality:${id}`]?.b as { links: LinkQuality[] } | undefined)?.links ?? [];
}

/** Who waits outside, in the order of their coming. */
export function waiting(state: RoomState): Participant[] {
  return everybody(state).filter((one) => one.waiting);
}

export function others(state: RoomState): Participant[] {
  return roster(state).filter((one) => one.id !== state.me);
}

/** Who is inside. */
export function roster(state: RoomState): Participant[] {
  return everybody(state).filter((one) => !one.waiting || one.id === state.me);
}

function everybody(state: RoomState): Participant[] {
  return Object.values(state.participants).sort((a, b) => a.ordinal - b.ordinal);
}

export function mayI(state: RoomState, grant: string): boolean {
  return state.participants[state.me]?.grants.includes(grant) ?? false;
}

export function iPresent(state: RoomState): boolean {
  return state.me !== '' && state.presenter === state.me;
}
