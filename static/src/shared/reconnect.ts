/**
 * When to try again: a pure state machine. Events in, next state and one effect out; no timer, no socket.
 *
 * A dead interface spends no attempts: while offline nothing is tried, and the return of the network or of the person
 * starts over at once. A link counts as good again only when it stayed up until the first ping (`steady`), so a server
 * that welcomes and cuts in a loop is not hammered.
 */
import { closeVerdict, type CloseVerdict } from './protocol';

export type Phase = 'idle' | 'connecting' | 'open' | 'waiting' | 'stopped';

export type ReconnectState = { phase: Phase; attempt: number; online: boolean; ticketNeeded: boolean };

export type ReconnectEvent =
  | { kind: 'start' }
  | { kind: 'opened' }
  | { kind: 'steady' }
  | { kind: 'closed'; code: number; afterMs?: number }
  | { kind: 'due' }
  | { kind: 'offline' }
  | { kind: 'online' }
  | { kind: 'visible' }
  | { kind: 'stop' };

export type ReconnectEffect = { kind: 'connect'; newTicket: boolean } | { kind: 'wait'; ms: number } | { kind: 'cancel' } | null;

export const BACKOFF_MS: readonly number[] = [0, 300, 1200, 2700, 4800, 7000];
const JITTER_MS = 1000;

export const NOT_STARTED: ReconnectState = { phase: 'idle', attempt: 0, online: true, ticketNeeded: false };

/** The first attempt is immediate and exact: only repeated failures are a herd worth spreading. */
export function backoff(attempt: number, random: number, steps: readonly number[] = BACKOFF_MS): number {
  const base = steps[Math.min(attempt, steps.length - 1)] ?? 0;
  return attempt === 0 ? base : base + Math.round(random * JITTER_MS);
}

export function step(
  state: ReconnectState,
  event: ReconnectEvent,
  random: number,
  steps: readonly number[] = BACKOFF_MS,
): [ReconnectState, ReconnectEffect] {
  if (state.phase === 'stopped') return [state, null];
  switch (event.kind) {
    case 'start':
      return connect({ ...state, ticketNeeded: false });
    case 'opened':
      return [{ ...state, phase: 'open', ticketNeeded: false }, { kind: 'cancel' }];
    case 'steady':
      return [{ ...state, attempt: 0 }, null];
    case 'closed':
      return afterClose(state, closeVerdict(event.code), random, steps, event.afterMs);
    case 'due':
      return state.phase === 'waiting' && state.online ? connect(state) : [state, null];
    case 'offline':
      return [{ ...state, online: false }, state.phase === 'waiting' ? { kind: 'cancel' } : null];
    case 'online':
    case 'visible':
      return awaken({ ...state, online: event.kind === 'online' || state.online });
    case 'stop':
      return [{ ...state, phase: 'stopped' }, { kind: 'cancel' }];
  }
}

function connect(state: ReconnectState): [ReconnectState, ReconnectEffect] {
  return [{ ...state, phase: 'connecting' }, { kind: 'connect', newTicket: state.ticketNeeded }];
}

function awaken(state: ReconnectState): [ReconnectState, ReconnectEffect] {
  if (state.phase !== 'waiting' || !state.online) return [state, null];
  return connect({ ...state, attempt: 0 });
}

function afterClose(
  state: ReconnectState,
  verdict: CloseVerdict,
  random: number,
  steps: readonly number[],
  afterMs?: number,
): [ReconnectState, ReconnectEffect] {
  if (verdict === 'stay_away') return [{ ...state, phase: 'stopped' }, { kind: 'cancel' }];
  const ticketNeeded = state.ticketNeeded || verdict === 'new_ticket';
  const waiting: ReconnectState = { ...state, phase: 'waiting', ticketNeeded, attempt: state.attempt + 1 };
  if (!state.online) return [{ ...waiting, attempt: state.attempt }, null];
  return [waiting, { kind: 'wait', ms: afterMs ?? backoff(state.attempt, random, steps) }];
}
