import { describe, expect, it } from 'vitest';
import { backoff, NOT_STARTED, step, type ReconnectEvent, type ReconnectState } from './reconnect';

function run(events: ReconnectEvent[], from: ReconnectState = NOT_STARTED): ReturnType<typeof step>[] {
  const out: ReturnType<typeof step>[] = [];
  let state = from;
  for (const event of events) {
    out.push(step(state, event, 0.5));
    state = out.at(-1)![0];
  }
  return out;
}

const OPEN: ReconnectState = { phase: 'open', attempt: 0, online: true, ticketNeeded: false };
const LOST: ReconnectEvent = { kind: 'closed', code: 1006 };
const DUE: ReconnectEvent = { kind: 'due' };

describe('reconnect policy', () => {
  it('tries at once, then waits longer and longer, and never gives up', () => {
    const steps = run(Array.from({ length: 8 }, () => [LOST, DUE]).flat(), OPEN);
    const waits = steps.flatMap(([, effect]) => (effect?.kind === 'wait' ? [effect.ms] : []));
    expect(waits).toEqual([0, 800, 1700, 3200, 5300, 7500, 7500, 7500]);
  });

  it('adds at most one second of jitter', () => {
    expect(backoff(3, 0)).toBe(2700);
    expect(backoff(3, 1)).toBe(3700);
  });

  it('spends no attempt while offline and starts over when the network returns', () => {
    const steps = run([{ kind: 'offline' }, LOST, DUE, { kind: 'visible' }, { kind: 'online' }], OPEN);
    expect(steps.map(([, effect]) => effect)).toEqual([null, null, null, null, { kind: 'connect', newTicket: false }]);
    expect(steps.at(-1)![0].attempt).toBe(0);
  });

  it('does not wait for its timer when the person comes back to the tab', () => {
    const waiting: ReconnectState = { ...OPEN, phase: 'waiting', attempt: 5 };
    expect(step(waiting, { kind: 'visible' }, 0)[1]).toEqual({ kind: 'connect', newTicket: false });
  });

  it('asks for a new ticket after 4014 and forgets it once open', () => {
    const steps = run([{ kind: 'closed', code: 4014 }, DUE, LOST, DUE, { kind: 'opened' }], OPEN);
    expect(steps[1]![1]).toEqual({ kind: 'connect', newTicket: true });
    expect(steps[3]![1]).toEqual({ kind: 'connect', newTicket: true });
    expect(steps[4]![0].ticketNeeded).toBe(false);
  });

  it.each([4501, 4503, 4504, 4509, 4511, 4999])('stays away after %i', (code) => {
    const steps = run([{ kind: 'closed', code }, { kind: 'online' }, DUE], OPEN);
    expect(steps.map(([, effect]) => effect?.kind)).toEqual(['cancel', undefined, undefined]);
  });

  it('honours the time a draining server names', () => {
    expect(run([{ kind: 'closed', code: 4001, afterMs: 4321 }], OPEN)[0]![1]).toEqual({ kind: 'wait', ms: 4321 });
  });

  it('keeps backing off from a server that welcomes and cuts at once', () => {
    const steps = run([LOST, DUE, { kind: 'opened' }, LOST, DUE, { kind: 'opened' }, { kind: 'steady' }, LOST], OPEN);
    expect(steps[3]![1]).toEqual({ kind: 'wait', ms: 800 });
    expect(steps[7]![1]).toEqual({ kind: 'wait', ms: 0 });
  });
});
