import { describe, expect, it } from 'vitest';
import type { Mark, Participant, ServerMessage, Snapshot, Welcome } from './protocol';
import { applyServer, EMPTY_ROOM, iPresent, sharedView, shownChat, shownMarks, withPending, type RoomState } from './roomState';

const EPOCH = 'e1';

function participant(id: string, ordinal: number): Participant {
  const rest = { title: '', hospital: 'WZ01', role: 'requester', grants: ['chat'], audio: false, video: false, screen: false, waiting: false, following: true, tracks: [] };
  return { id, person: `person-${id}`, name: id, ordinal, state: 'online', ...rest };
}

function mark(id: string, text = ''): Mark {
  const where = { study: 's', series_instance_uid: '1', sop_instance_uid: '2', frame: 1 };
  return { id, kind: 'length', ...where, points: [[1, 2], [3, 4]], text, color: '#fff' };
}

function snapshot(parts: Partial<Snapshot> = {}): Snapshot {
  const participants = [participant('a', 1), participant('b', 2)];
  const rest = { scope: '', recording: null, media_mode: 'mesh' as const, marks_locked: null, consents: {}, entries: [] };
  return { epoch: EPOCH, seq: 0, participants, presenter: 'a', state: {}, chat: [], marks: [], ...rest, ...parts };
}

function welcome(parts: Partial<Welcome> = {}): ServerMessage {
  const timers = { ping_ms: 1, dead_ms: 1, hidden_dead_ms: 1, seat_ms: 1, backoff_ms: [] };
  const b = { me: 'a', waiting: false, room: 'r', recovered: false, resume_token: 't', snapshot: snapshot(), events: [], timers, limits: {}, features: [], ...parts };
  return { v: 1, k: 'welcome', b };
}

function durable(seq: number, k: string, b: unknown, from = 'b'): ServerMessage {
  return { v: 1, k, seq, epoch: EPOCH, from, at: '2026-11-23T10:00:00Z', b };
}

const chat = (seq: number): ServerMessage => durable(seq, 'chat.sent', { text: `line ${seq}` });
const play = (messages: ServerMessage[], from: RoomState = EMPTY_ROOM): RoomState => messages.reduce(applyServer, from);
const OPEN = play([welcome()]);

/** A small deterministic generator, so that a failing run can be repeated from its seed. */
function generator(seed: number): () => number {
  let value = seed;
  return () => (value = (value * 1103515245 + 12345) % 2147483648) / 2147483648;
}

function history(random: () => number, length: number): ServerMessage[] {
  return Array.from({ length }, (_, index) => {
    const id = `m${Math.floor(random() * 4)}`;
    const kinds = [
      ['chat.sent', { text: `${index}` }],
      ['mark.added', { mark: mark(id, `${index}`) }],
      ['mark.edited', { mark: mark(id, `edit ${index}`) }],
      ['mark.removed', { id }],
      ['control.changed', { presenter: random() < 0.5 ? 'a' : null }],
    ] as const;
    const [k, b] = kinds[Math.floor(random() * kinds.length)]!;
    return durable(index + 1, k, b);
  });
}

describe('room state', () => {
  it('applies every durable event once, however often it arrives', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = generator(seed);
      const events = history(random, 30);
      const repeated = events.flatMap((event, index) => {
        const earlier = events[Math.floor(random() * (index + 1))]!;
        return random() < 0.5 ? [event, earlier, event] : [event];
      });
      expect(play(repeated, OPEN), `seed ${seed}`).toEqual(play(events, OPEN));
    }
  });

  it('ends in the same state whether it resumed with the gap or heard everything', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const events = history(generator(seed), 30);
      const cut = seed % 30;
      const presenter = play(events, OPEN).presenter;
      const resumed = welcome({ recovered: true, snapshot: snapshot({ seq: 30, presenter }), events: events.slice(cut) });
      expect(play([...events.slice(0, cut), resumed], OPEN), `seed ${seed}`).toEqual(play(events, OPEN));
    }
  });

  it('marks a gap instead of applying events out of order', () => {
    const state = play([chat(1), chat(3), chat(2)], OPEN);
    expect(state.gap).toBe(true);
    expect(state.chat.map((line) => line.text)).toEqual(['line 1', 'line 2']);
  });

  it('marks a gap when the room has another history than the one it knows', () => {
    expect(play([{ ...chat(1), epoch: 'e2' }], OPEN).gap).toBe(true);
  });

  it('lets a complete snapshot replace people, marks and chat that are gone', () => {
    const before = play([chat(1), durable(2, 'mark.added', { mark: mark('old') })], OPEN);
    const fresh = snapshot({ epoch: 'e2', seq: 7, participants: [participant('a', 1)], marks: [mark('new')] });
    const after = play([welcome({ snapshot: fresh })], before);
    expect(Object.keys(after.participants)).toEqual(['a']);
    expect(Object.keys(after.marks)).toEqual(['new']);
    expect([after.chat, after.seq, after.epoch]).toEqual([[], 7, 'e2']);
  });

  it('keeps unanswered commands over a complete snapshot', () => {
    const waiting = withPending(OPEN, { id: 'c1', scope: '', k: 'chat.send', b: { text: 'hello' } });
    expect(shownChat(play([welcome()], waiting)).map((line) => line.text)).toEqual(['hello']);
  });

  it('shows a line at once and once only after its answer', () => {
    const waiting = withPending(OPEN, { id: 'c1', scope: '', k: 'chat.send', b: { text: 'line 1' } });
    expect(shownChat(waiting)).toMatchObject([{ pending: true }]);
    const answered = play([{ k: 'ok', re: 'c1' }, chat(1)], waiting);
    expect(shownChat(answered)).toMatchObject([{ text: 'line 1', pending: false }]);
  });

  it('lays its own unanswered marks over the shared ones and takes them back when refused', () => {
    const shared = play([durable(1, 'mark.added', { mark: mark('x') })], OPEN);
    const adding = withPending(shared, { id: 'c1', scope: '', k: 'mark.add', b: { mark: mark('y') } });
    const removing = withPending(adding, { id: 'c2', scope: '', k: 'mark.remove', b: { id: 'x' } });
    expect(shownMarks(removing).map((one) => one.id)).toEqual(['y']);
    const refused = play([{ k: 'err', re: 'c1', b: { code: 'NOT_ALLOWED', temporary: false } }], removing);
    expect(shownMarks(refused)).toEqual([]);
  });

  it('keeps a command that was refused for the moment only', () => {
    const waiting = withPending(OPEN, { id: 'c1', scope: '', k: 'chat.send', b: { text: 'x' } });
    const limited = play([{ k: 'err', re: 'c1', b: { code: 'RATE_LIMITED', temporary: true } }], waiting);
    expect(limited.pending).toHaveLength(1);
  });

  it('drops the pointer and the request of somebody who left', () => {
    const pointing = play([
      { k: 'pointer', from: 'b', b: { study: 's', sop_instance_uid: '2', frame: 1, x: 1, y: 2 } },
      durable(1, 'control.requested', {}),
      { k: 'participant', key: 'participant:b', b: null },
    ], OPEN);
    expect([pointing.pointers, pointing.requests, Object.keys(pointing.participants)]).toEqual([{}, [], ['a']]);
  });

  it('follows the presenter and the view', () => {
    const state = play([
      { k: 'view', key: 'view', from: 'b', at: '', b: { frame: 3 } },
      durable(1, 'control.changed', { presenter: null }),
    ], OPEN);
    expect(sharedView(state)).toEqual({ frame: 3 });
    expect([iPresent(OPEN), iPresent(state)]).toEqual([true, false]);
  });

  it('ignores kinds it does not know', () => {
    expect(play([{ k: 'something.new', b: { x: 1 } }], OPEN)).toEqual(OPEN);
  });
});
