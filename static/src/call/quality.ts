/** From getStats to what a person is told: round trip, loss, frames. Pure. */

export type Counters = { rtt_ms: number | null; received: number; lost: number; frames: number; bytes: number; at_ms: number };
export type Quality = { rtt_ms: number | null; loss_percent: number; frames_decoded: number; kbit_s: number };

type Entry = Record<string, unknown> & { type: string };

const KEPT_SAMPLES = 60;

export function counters(entries: Iterable<unknown>, at_ms: number): Counters {
  const out: Counters = { rtt_ms: null, received: 0, lost: 0, frames: 0, bytes: 0, at_ms };
  for (const entry of entries) count(out, entry as Entry);
  return out;
}

function count(out: Counters, entry: Entry): void {
  if (entry.type === 'candidate-pair' && entry['nominated'] === true && typeof entry['currentRoundTripTime'] === 'number') {
    out.rtt_ms = Math.round(entry['currentRoundTripTime'] * 1000);
  }
  if (entry.type !== 'inbound-rtp') return;
  out.received += numeric(entry['packetsReceived']);
  out.lost += numeric(entry['packetsLost']);
  out.frames += numeric(entry['framesDecoded']);
  out.bytes += numeric(entry['bytesReceived']);
}

function numeric(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Loss and bitrate over the time between two samples; a restarted connection counts from zero again. */
export function quality(before: Counters | null, now: Counters): Quality {
  const base = before && now.received >= before.received ? before : { received: 0, lost: 0, bytes: 0, at_ms: now.at_ms - 1 };
  const lost = Math.max(0, now.lost - base.lost);
  const total = now.received - base.received + lost;
  const seconds = Math.max(0.001, (now.at_ms - base.at_ms) / 1000);
  return {
    rtt_ms: now.rtt_ms,
    loss_percent: total > 0 ? Math.round((lost / total) * 1000) / 10 : 0,
    frames_decoded: now.frames,
    kbit_s: before ? Math.round(((now.bytes - base.bytes) * 8) / 1000 / seconds) : 0,
  };
}

export type Grade = 'good' | 'fair' | 'bad';

export function grade({ rtt_ms, loss_percent }: Quality): Grade {
  if (loss_percent >= 8 || (rtt_ms ?? 0) >= 400) return 'bad';
  return loss_percent >= 2 || (rtt_ms ?? 0) >= 200 ? 'fair' : 'good';
}

export function remember(samples: number[], value: number): number[] {
  return [...samples, value].slice(-KEPT_SAMPLES);
}

/** Points of a small plot, newest at the right; the scale never magnifies less than 50 units. */
export function plotPoints(samples: number[], width: number, height: number): string {
  const top = Math.max(50, ...samples);
  const step = width / (KEPT_SAMPLES - 1);
  return samples
    .map((value, index) => `${(width - (samples.length - 1 - index) * step).toFixed(1)},${(height - (value / top) * height).toFixed(1)}`)
    .join(' ');
}
