/** One frame on its way over the network: what came of it so far, and all of it when it is there. */
import type { Frame } from './frames';

/** Lowest resolution first, lossless (HTJ2KLosslessRPCL). */
export const PROGRESSIVE = '1.2.840.10008.1.2.4.202';
const COPY = `image/jphc; transfer-syntax=${PROGRESSIVE}`;
const STORED = 'application/octet-stream; transfer-syntax=*';
/** Below, a frame is there before its decoder has started. */
const LARGE_BYTES = 1 << 20;
/** Above, the bytes that a compressed copy spares take less time than decoding it (docs/performance.md). */
const QUICK_MBPS = 300;
/** Smaller answers say more about the server than about the link. */
const TELLING_BYTES = 50_000;

let mbps: number | null = null;

/** Megabits per second of the latest answer that was large enough to tell; null: not known yet. */
export function linkRate(): number | null {
  return mbps ?? rateOfAssets();
}

/** How quickly this app's own code came, unless it was in the browser's cache. */
function rateOfAssets(): number | null {
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  const rates = entries
    .filter((entry) => entry.transferSize > TELLING_BYTES && entry.responseEnd > entry.responseStart)
    .map((entry) => rate(entry.transferSize, entry.responseEnd - entry.responseStart));
  return rates.length > 0 ? Math.max(...rates) : null;
}

function rate(bytes: number, ms: number): number {
  return (bytes * 8) / 1000 / Math.max(ms, 0.1);
}

/** What to ask for: a copy that is drawn before it is complete, or the frame as it is stored. */
export function acceptFor(bytes: number, rateMbps: number | null): string {
  const copy = bytes > LARGE_BYTES || (rateMbps !== null && rateMbps < QUICK_MBPS);
  return copy ? `${COPY}, ${STORED}` : STORED;
}

/** Where a frame is fetched: Cornerstone's name for it is that address behind its scheme. */
export function urlOf({ image_id }: Frame): string {
  return image_id.slice('wadors:'.length);
}

export class FrameStream {
  /** resolves when the last byte is there */
  readonly whole: Promise<Uint8Array>;
  syntax = '';
  /** what came so far */
  got = new Uint8Array();
  private room = new Uint8Array();
  private listener: () => void = () => undefined;

  /** bytes: of the frame uncompressed. */
  constructor(url: string, bytes: number, urgent: boolean) {
    this.whole = this.read(url, bytes, urgent);
    // Whoever waits for it learns of a failure; that nobody waits yet is none.
    this.whole.catch(() => undefined);
  }

  /** Calls `listener` whenever more has come. */
  onMore(listener: () => void): void {
    this.listener = listener;
    listener();
  }

  private async read(url: string, bytes: number, urgent: boolean): Promise<Uint8Array> {
    const headers = { Accept: acceptFor(bytes, linkRate()) };
    const reply = await fetch(url, { headers, credentials: 'same-origin', priority: urgent ? 'high' : 'auto' });
    if (!reply.ok || !reply.body) throw new Error(`frame: HTTP ${reply.status}`);
    this.syntax = /transfer-syntax=([0-9.]+)/.exec(reply.headers.get('Content-Type') ?? '')?.[1] ?? '';
    const began = performance.now();
    this.room = new Uint8Array(Number(reply.headers.get('Content-Length')) || LARGE_BYTES);
    const reader = reply.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) this.add(part.value);
    if (this.got.length > TELLING_BYTES) mbps = rate(this.got.length, performance.now() - began);
    return this.got;
  }

  private add(piece: Uint8Array): void {
    const length = this.got.length + piece.length;
    if (length > this.room.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.room.length));
      larger.set(this.got);
      this.room = larger;
    }
    this.room.set(piece, this.got.length);
    this.got = this.room.subarray(0, length);
    this.listener();
  }
}
