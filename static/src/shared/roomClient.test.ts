import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JoinRefused, RoomClient } from './roomClient';

class Socket {
  static readonly all: Socket[] = [];
  readyState: number = WebSocket.OPEN;
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;
  readonly sent: { k: string; id?: string; b: Record<string, unknown> }[] = [];

  constructor() {
    Socket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = WebSocket.CLOSED;
  }

  say(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }

  die(code: number): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose({ code });
  }
}

const WELCOME = {
  k: 'welcome',
  b: {
    me: 'a',
    waiting: false,
    room: 'r',
    recovered: false,
    resume_token: 'resume-1',
    snapshot: { epoch: 'e', seq: 0, scope: '', participants: [], presenter: null, recording: null, media_mode: 'mesh', marks_locked: null, consents: {}, state: {}, entries: [], chat: [], marks: [] },
    events: [],
    timers: { ping_ms: 5000, dead_ms: 15000, hidden_dead_ms: 70000, seat_ms: 60000, backoff_ms: [0, 300] },
    limits: {},
    features: [],
  },
};

let joins = 0;
let client: RoomClient;

function start(join = async () => ({ ticket: `t${(joins += 1)}`, url: 'ws://x/rooms/r' })): void {
  client = new RoomClient({ join, open: () => new Socket() as unknown as WebSocket });
  client.start();
}

async function connected(): Promise<Socket> {
  await vi.advanceTimersByTimeAsync(0);
  const socket = Socket.all.at(-1)!;
  socket.onopen();
  return socket;
}

async function inside(): Promise<Socket> {
  start();
  const socket = await connected();
  socket.say(WELCOME);
  return socket;
}

beforeEach(() => {
  vi.useFakeTimers();
  Socket.all.length = 0;
  joins = 0;
});
afterEach(() => {
  client.leave();
  vi.useRealTimers();
});

describe('the room client', () => {
  it('says hello with its ticket and resumes with its token', async () => {
    const first = await inside();
    expect(first.sent[0]).toMatchObject({ k: 'hello', b: { ticket: 't1' } });
    first.die(1006);
    const second = await connected();
    expect(second.sent[0]).toMatchObject({ k: 'resume', b: { resume_token: 'resume-1', epoch: 'e', seq: 0 } });
    expect(joins).toBe(1);
  });

  it('answers a ping at once', async () => {
    const socket = await inside();
    socket.say({ k: 'ping', b: { t: 7 } });
    expect(socket.sent.at(-1)).toMatchObject({ k: 'pong', b: { t: 7, seq: 0, hidden: false } });
  });

  it('sends again what was not answered, with the same id', async () => {
    const first = await inside();
    const id = client.command('chat.send', { text: 'hello' });
    first.die(4008);
    const second = await connected();
    expect(second.sent.map(({ k }) => k)).toEqual(['resume']);
    second.say(WELCOME);
    expect(second.sent.at(-1)).toMatchObject({ k: 'chat.send', id });
    second.say({ k: 'ok', re: id });
    expect(client.state.value.pending).toEqual([]);
  });

  it('keeps a command given while the link is away', async () => {
    const first = await inside();
    first.die(1006);
    const id = client.command('chat.send', { text: 'later' });
    const second = await connected();
    second.say(WELCOME);
    expect(second.sent.at(-1)).toMatchObject({ id });
  });

  it('drops a view that cannot be sent: the next one counts', async () => {
    const first = await inside();
    first.die(1006);
    client.post('view.set', {});
    const second = await connected();
    second.say(WELCOME);
    expect(second.sent.map(({ k }) => k)).toEqual(['resume']);
  });

  it('asks again where the room is when nobody answers at the old address', async () => {
    const first = await inside();
    first.die(1006);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await vi.advanceTimersByTimeAsync(5000);
      Socket.all.at(-1)!.die(1006);
    }
    expect(joins).toBeGreaterThan(1);
    const before = Socket.all.length;
    while (Socket.all.length === before) await vi.advanceTimersByTimeAsync(500);
    expect((await connected()).sent[0]).toMatchObject({ k: 'resume', b: { resume_token: 'resume-1' } });
  });

  it('goes where the room has moved, with the ticket it has', async () => {
    const urls: string[] = [];
    client = new RoomClient({ join: async () => ({ ticket: `t${(joins += 1)}`, url: 'ws://a' }), open: (url) => (urls.push(url), new Socket() as unknown as WebSocket) });
    client.start();
    const first = await connected();
    first.say({ k: 'redirect', b: { url: 'ws://b/rooms/r' } });
    first.die(4002);
    expect((await connected()).sent[0]).toMatchObject({ k: 'hello', b: { ticket: 't1' } });
    expect(urls).toEqual(['ws://a', 'ws://b/rooms/r']);
  });

  it('does not wait for a handshake that was begun before the network came back', async () => {
    await inside();
    dispatchEvent(new Event('offline'));
    Socket.all.at(-1)!.die(1006);
    dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    const begun = Socket.all.length;
    dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(Socket.all.length).toBe(begun + 1);
  });

  it('gives up a handshake that takes too long', async () => {
    start();
    await vi.advanceTimersByTimeAsync(6000);
    expect(Socket.all.length).toBeGreaterThan(1);
  });

  it('says which scope a command was meant for', async () => {
    const socket = await inside();
    socket.say({ ...WELCOME, b: { ...WELCOME.b, snapshot: { ...WELCOME.b.snapshot, scope: 'bed-1' } } });
    client.command('chat.send', { text: 'x' });
    client.post('view.set', {});
    expect(socket.sent.slice(-2).map((message) => (message as { scope?: string }).scope)).toEqual(['bed-1', 'bed-1']);
  });

  it('fetches another ticket when its token is too old', async () => {
    const first = await inside();
    first.die(4014);
    const second = await connected();
    expect(second.sent[0]).toMatchObject({ k: 'hello', b: { ticket: 't2' } });
  });

  it('fetches another ticket when a socket broke before its welcome', async () => {
    start();
    (await connected()).die(1006);
    expect((await connected()).sent[0]).toMatchObject({ k: 'hello', b: { ticket: 't2' } });
  });

  it('stays away with a sentence when it was removed', async () => {
    const socket = await inside();
    socket.die(4503);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.link.value).toMatchObject({ phase: 'stopped', ended: 'room.closed.removed' });
    expect(Socket.all).toHaveLength(1);
  });

  it('stays away when the server will not let it join', async () => {
    start(async () => Promise.reject(new JoinRefused('closed')));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.link.value).toMatchObject({ phase: 'stopped', ended: 'closed' });
  });

  it('keeps trying when the server cannot be reached', async () => {
    start(async () => Promise.reject(new TypeError('network')));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.link.value.ended).toBeNull();
    expect(client.link.value.phase).not.toBe('stopped');
  });

  it('leaves a silent socket', async () => {
    await inside();
    await vi.advanceTimersByTimeAsync(16_500);
    expect((await connected()).sent[0]).toMatchObject({ k: 'resume' });
  });

  it('resumes at once when an event was missed', async () => {
    const socket = await inside();
    socket.say({ k: 'chat.sent', seq: 5, epoch: 'e', from: 'b', at: '', b: { text: 'x' } });
    expect((await connected()).sent[0]).toMatchObject({ k: 'resume', b: { seq: 0 } });
  });
});
