/**
 * Drives one room over one WebSocket: opens, resumes, answers pings, keeps the mirror, re-sends what was not answered.
 * The rules are in roomState.ts and reconnect.ts; this file only has the socket, the timers and the order of things.
 */
import { signal, type Signal } from '@preact/signals';
import { newId } from './ids';
import { closeSentence, closeVerdict, FEATURES, PROTOCOL_VERSION, type ServerMessage, type Timers, type Welcome } from './protocol';
import { BACKOFF_MS, NOT_STARTED, step, type ReconnectEvent, type ReconnectState } from './reconnect';
import { applyServer, EMPTY_ROOM, isTemporary, withoutPending, withPending, type RoomState } from './roomState';

export type Ticket = { ticket: string; url: string };

export type Link = {
  phase: ReconnectState['phase'];
  /** epoch milliseconds since when the link is not open */
  lostAt: number | null;
  /** message key of the sentence that ended the session for good */
  ended: string | null;
};

/** A join that was refused for good; `sentence` is what the person should read. */
export class JoinRefused extends Error {}

export type RoomOptions = {
  join: () => Promise<Ticket>;
  open?: (url: string) => WebSocket;
  onMessage?: (message: ServerMessage) => void;
  onRefused?: (code: string, kind: string) => void;
};

const RETRY_TEMPORARY_MS = 1000;
const WATCH_MS = 1000;
/** A handshake that takes longer is tried again; a lost first packet is repeated too late by the system itself. */
const OPENING_MS = 4000;
const ASK_AGAIN_AFTER = 2;
const NO_HEARTBEAT = 4012;
const BAD_TICKET = 4501;
const TICKET_STALE = 4014;
const ABNORMAL = 1006;
/** Ours, for a socket on an interface that went away. */
const NETWORK_CHANGED = 4000;
const TICKET_CODES = ['AUTH_TICKET_EXPIRED', 'AUTH_TICKET_USED'];
const DEFAULT_TIMERS: Timers = { ping_ms: 5000, dead_ms: 15000, hidden_dead_ms: 70000, seat_ms: 60000, backoff_ms: [...BACKOFF_MS] };

export class RoomClient {
  readonly state: Signal<RoomState> = signal(EMPTY_ROOM);
  readonly link: Signal<Link> = signal({ phase: 'idle', lostAt: null, ended: null });
  private policy = NOT_STARTED;
  private socket: WebSocket | null = null;
  private ticket: Ticket | null = null;
  private resumeToken: string | null = null;
  private timers = DEFAULT_TIMERS;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  private lastHeard = 0;
  private drainMs: number | undefined;
  private ticketRefused = false;
  /** Openings in a row that came to nothing. */
  private fruitless = 0;
  private moved = false;
  private readonly stopListening = new AbortController();

  constructor(private readonly options: RoomOptions) {}

  start(): void {
    const { signal: until } = this.stopListening;
    addEventListener('online', () => this.networkBack(), { signal: until });
    addEventListener('offline', () => this.advance({ kind: 'offline' }), { signal: until });
    document.addEventListener('visibilitychange', () => document.hidden || this.advance({ kind: 'visible' }), { signal: until });
    addEventListener('pagehide', () => this.transmit({ k: 'bye', b: {} }), { signal: until });
    this.watchTimer = setInterval(() => this.watch(), WATCH_MS);
    this.advance({ kind: 'start' });
  }

  /** Leaves on purpose. The client cannot be started again. */
  leave(): void {
    this.transmit({ k: 'bye', b: {} });
    this.advance({ kind: 'stop' });
    this.stopListening.abort();
    clearInterval(this.watchTimer);
    this.socket?.close(1000);
    this.socket = null;
  }

  /** Sends a command that must arrive: remembered and sent again until the server answers it. */
  command(kind: string, body: unknown): string {
    const command = { id: newId(), k: kind, b: body, scope: this.state.value.scope };
    this.state.value = withPending(this.state.value, command);
    this.transmit(command);
    return command.id;
  }

  /** Sends something that the next one overwrites (view, pointer) or that dies with the socket (signal). */
  post(kind: string, body: unknown): void {
    this.transmit({ k: kind, b: body, scope: this.state.peek().scope });
  }

  private transmit(message: { k: string; b: unknown; id?: string; scope?: string }): void {
    const open = this.socket?.readyState === WebSocket.OPEN && (this.policy.phase === 'open' || isOpening(message.k));
    if (open) this.socket?.send(JSON.stringify({ v: PROTOCOL_VERSION, ...message }));
  }

  private advance(event: ReconnectEvent): void {
    const [next, effect] = step(this.policy, event, Math.random(), this.timers.backoff_ms);
    if (next.phase !== this.policy.phase) this.publish(next.phase);
    this.policy = next;
    if (effect?.kind === 'cancel' || effect?.kind === 'connect') clearTimeout(this.retryTimer);
    if (effect?.kind === 'wait') this.retryTimer = setTimeout(() => this.advance({ kind: 'due' }), effect.ms);
    if (effect?.kind === 'connect') void this.connect(effect.newTicket);
  }

  private publish(phase: ReconnectState['phase'], ended = this.link.value.ended): void {
    const lostAt = phase === 'open' ? null : (this.link.value.lostAt ?? Date.now());
    this.link.value = { phase, lostAt, ended };
  }

  private async connect(newTicket: boolean): Promise<void> {
    if (newTicket) this.resumeToken = null;
    try {
      // A ticket opens one socket only; a socket that broke before its welcome has spent it. And a process that does
      // not answer may be gone for good: the join answer knows where the room is now.
      if (!this.moved && (!this.resumeToken || this.fruitless >= ASK_AGAIN_AFTER)) this.ticket = await this.options.join();
      this.moved = false;
    } catch (error) {
      return this.joinFailed(error);
    }
    if (this.policy.phase === 'connecting' && this.ticket) this.openSocket(this.ticket);
  }

  private joinFailed(error: unknown): void {
    if (!(error instanceof JoinRefused)) return this.advance({ kind: 'closed', code: ABNORMAL });
    this.advance({ kind: 'stop' });
    this.publish('stopped', error.message);
  }

  private openSocket(ticket: Ticket): void {
    const socket = (this.options.open ?? ((url) => new WebSocket(url)))(ticket.url);
    this.socket = socket;
    this.lastHeard = Date.now();
    this.fruitless += 1;
    socket.onopen = () => this.greet(ticket);
    socket.onmessage = (event) => this.socket === socket && this.receive(String(event.data));
    socket.onclose = (event) => this.socket === socket && this.closed(event.code);
  }

  private greet(ticket: Ticket): void {
    const { epoch, seq } = this.state.value;
    const resume = { resume_token: this.resumeToken, epoch, seq, features: FEATURES };
    if (this.resumeToken) this.transmit({ k: 'resume', b: resume });
    else this.transmit({ k: 'hello', b: { ticket: ticket.ticket, features: FEATURES } });
  }

  private receive(text: string): void {
    this.lastHeard = Date.now();
    const message = JSON.parse(text) as ServerMessage;
    if (message.k === 'ping') return this.answerPing(message.b as { t: number });
    if (message.k === 'redirect' && this.ticket) {
      this.ticket = { ...this.ticket, url: (message.b as { url: string }).url };
      this.moved = true;
    }
    if (message.k === 'drain') this.drainMs = (message.b as { after_ms: number }).after_ms;
    if (message.k === 'err') this.refused(message);
    this.state.value = applyServer(this.state.value, message);
    if (message.k === 'welcome') this.welcomed(message.b as Welcome);
    if (this.state.value.gap) return this.drop(NO_HEARTBEAT);
    this.options.onMessage?.(message);
  }

  private answerPing({ t }: { t: number }): void {
    this.transmit({ k: 'pong', b: { t, seq: this.state.value.seq, hidden: document.hidden } });
    this.advance({ kind: 'steady' });
  }

  private refused(message: ServerMessage): void {
    const { code } = message.b as { code: string };
    if (TICKET_CODES.includes(code)) this.ticketRefused = true;
    const command = this.state.value.pending.find((one) => one.id === message.re);
    if (command && isTemporary(message)) setTimeout(() => this.transmit(command), RETRY_TEMPORARY_MS);
    else this.options.onRefused?.(code, command?.k ?? '');
  }

  private welcomed(welcome: Welcome): void {
    this.resumeToken = welcome.resume_token;
    this.fruitless = 0;
    this.timers = { ...DEFAULT_TIMERS, ...welcome.timers };
    this.advance({ kind: 'opened' });
    for (const command of this.state.value.pending) this.transmit(command);
  }

  private closed(code: number): void {
    this.socket = null;
    const effective = code === BAD_TICKET && this.ticketRefused ? TICKET_STALE : code;
    this.ticketRefused = false;
    const afterMs = this.drainMs;
    this.drainMs = undefined;
    this.advance(afterMs === undefined ? { kind: 'closed', code: effective } : { kind: 'closed', code: effective, afterMs });
    if (closeVerdict(effective) === 'stay_away') this.publish('stopped', closeSentence(effective));
  }

  private drop(code: number): void {
    const dying = this.socket;
    this.closed(code);
    dying?.close(code);
  }

  private networkBack(): void {
    // The old socket, open or about to be, belongs to an interface that is gone: beginning anew is quicker.
    if (this.socket) this.drop(NETWORK_CHANGED);
    this.advance({ kind: 'online' });
  }

  private watch(): void {
    const opening = this.policy.phase === 'connecting';
    const limit = opening ? OPENING_MS : document.hidden ? this.timers.hidden_dead_ms : this.timers.dead_ms;
    if (this.socket && Date.now() - this.lastHeard > limit) this.drop(NO_HEARTBEAT);
  }

  /** Forgets a command that must not be repeated any more (its author took it back). */
  forget(id: string): void {
    this.state.value = withoutPending(this.state.value, id);
  }
}



function isOpening(kind: string): boolean {
  return kind === 'hello' || kind === 'resume';
}
