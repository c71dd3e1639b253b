/** Loads what the reader will probably want next: around the current slice, nearest first, a few at a time. */

const AHEAD = 60;
const BEHIND = 20;

/** Indices around `current`, nearest first, three steps ahead for each step behind. */
export function prefetchOrder(current: number, count: number, direction: 1 | -1): number[] {
  const wanted: number[] = [];
  for (let step = 1; step <= AHEAD; step += 1) {
    wanted.push(current + direction * step);
    if (step % 3 === 0 && step / 3 <= BEHIND) wanted.push(current - (direction * step) / 3);
  }
  return wanted.filter((index) => index >= 0 && index < count);
}

export class Prefetcher {
  private queue: number[] = [];
  private running = 0;
  private readonly seen = new Set<number>();

  constructor(
    private readonly load: (index: number) => Promise<unknown>,
    private readonly concurrency: number,
  ) {}

  /** Replaces what is waiting; what is under way goes on. */
  aim(order: number[]): void {
    this.queue = order.filter((index) => !this.seen.has(index));
    while (this.running < this.concurrency && this.queue.length > 0) this.next();
  }

  close(): void {
    this.queue = [];
  }

  private next(): void {
    const index = this.queue.shift()!;
    this.seen.add(index);
    this.running += 1;
    void this.load(index)
      // A failed prefetch is no news: the reader learns of it on reaching that slice.
      .catch(() => undefined)
      .finally(() => {
        this.running -= 1;
        this.aim(this.queue);
      });
  }
}
