/** Sends only the newest value, at most once per interval: what a 30 Hz view or pointer stream needs. */
export class Latest<T> {
  private waiting: { value: T } | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly intervalMs: number,
    private readonly deliver: (value: T) => void,
  ) {}

  /** The first value leaves at once; those that follow within the interval leave at its end, newest only. */
  offer(value: T): void {
    if (this.timer !== null) {
      this.waiting = { value };
      return;
    }
    this.deliver(value);
    this.timer = setTimeout(() => this.tick(), this.intervalMs);
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.waiting = null;
  }

  private tick(): void {
    this.timer = null;
    const next = this.waiting;
    this.waiting = null;
    if (next) this.offer(next.value);
  }
}
