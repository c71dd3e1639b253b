/** Live changes by server-sent events, with a return to a lost stream that never gives up. */

import type { Change } from './types';

export type LinkState = 'connecting' | 'open' | 'lost';

/** Milliseconds before each further attempt; the last one repeats. */
export const BACKOFF_MS: readonly number[] = [1000, 2000, 5000, 10_000, 30_000];

export interface EventSink {
  changed(change: Change): void;
  /** The stream is back after a gap: whatever happened meanwhile was missed. */
  resync(): void;
  state(state: LinkState): void;
}

interface Source {
  addEventListener(name: string, listener: (event: Event) => void): void;
  close(): void;
}

export interface Surroundings {
  open(url: string): Source;
  later(task: () => void, delayMs: number): () => void;
}

const browser: Surroundings = {
  open: (url) => new EventSource(url),
  later: (task, delayMs) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Opens the stream; returns its undo. */
export function followChanges(sink: EventSink, around: Surroundings = browser): () => void {
  let source: Source | undefined;
  let cancelRetry: (() => void) | undefined;
  let failures = 0;
  let missed = false;

  const opened = () => {
    failures = 0;
    sink.state('open');
    if (missed) sink.resync();
    missed = false;
  };
  // The browser's own return gives up on any HTTP answer but 200, so every failure is ours to mend.
  const failed = () => {
    source?.close();
    missed = true;
    // The server ends each stream after a while; only a return that fails is worth a word.
    sink.state(failures === 0 ? 'connecting' : 'lost');
    cancelRetry = around.later(connect, BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)]!);
  };
  function connect() {
    source = around.open('/api/v1/events');
    source.addEventListener('open', opened);
    source.addEventListener('error', failed);
    source.addEventListener('changed', (event) => sink.changed(JSON.parse((event as MessageEvent<string>).data)));
  }

  sink.state('connecting');
  connect();
  return () => {
    cancelRetry?.();
    source?.close();
  };
}
