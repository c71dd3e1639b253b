import { beforeEach, describe, expect, it, vi } from 'vitest';

import { BACKOFF_MS, followChanges, type LinkState } from './events';

class FakeSource extends EventTarget {
  closed = false;
  close() {
    this.closed = true;
  }
  say(data: string) {
    this.dispatchEvent(new MessageEvent('changed', { data }));
  }
  happen(name: 'open' | 'error') {
    this.dispatchEvent(new Event(name));
  }
}

let sources: FakeSource[];
let waits: { task: () => void; delayMs: number }[];
let states: LinkState[];
const changed = vi.fn();
const resync = vi.fn();

const latest = () => sources.at(-1)!;
const follow = () =>
  followChanges(
    { changed, resync, state: (state) => states.push(state) },
    {
      open: () => {
        sources.push(new FakeSource());
        return latest();
      },
      later: (task, delayMs) => {
        const wait = { task, delayMs };
        waits.push(wait);
        return () => void waits.splice(waits.indexOf(wait), 1);
      },
    },
  );

beforeEach(() => {
  [sources, waits, states] = [[], [], []];
  vi.clearAllMocks();
});

describe('the stream of changes', () => {
  it('passes changes on', () => {
    follow();
    latest().say('{"topic":"studies","id":"S1"}');
    expect(changed).toHaveBeenCalledWith({ topic: 'studies', id: 'S1' });
  });

  it('does not resync on its first opening', () => {
    follow();
    latest().happen('open');
    expect(resync).not.toHaveBeenCalled();
    expect(states).toEqual(['connecting', 'open']);
  });

  it('comes back after a loss and says that something may have been missed', () => {
    follow();
    latest().happen('open');
    latest().happen('error');
    expect(sources[0]!.closed).toBe(true);
    waits[0]!.task();
    latest().happen('open');
    expect(resync).toHaveBeenCalledOnce();
  });

  it('calls the link lost only when coming back fails too', () => {
    follow();
    latest().happen('open');
    latest().happen('error');
    expect(states).not.toContain('lost');
    waits[0]!.task();
    latest().happen('error');
    expect(states.at(-1)).toBe('lost');
  });

  it('waits longer each time, and begins anew after a success', () => {
    follow();
    for (let failure = 0; failure < 7; failure++) {
      latest().happen('error');
      waits.at(-1)!.task();
    }
    expect(waits.map(({ delayMs }) => delayMs)).toEqual([...BACKOFF_MS, 30_000, 30_000]);
    latest().happen('open');
    latest().happen('error');
    expect(waits.at(-1)!.delayMs).toBe(BACKOFF_MS[0]);
  });

  it('stays away once it is undone', () => {
    const undo = follow();
    latest().happen('error');
    undo();
    expect(waits).toHaveLength(0);
    expect(latest().closed).toBe(true);
  });
});
