/** How loud a stream is, for the level bar and the ring around who speaks. */

const SPEAKING = 0.02;
const HOLD_MS = 600;

export class LevelMeter {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly samples = new Float32Array(1024);
  private readonly source: MediaStreamAudioSourceNode;
  private loudAt = 0;

  /** `stream` must have an audio track. */
  constructor(stream: MediaStream) {
    this.analyser.fftSize = this.samples.length;
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.analyser);
  }

  /** Root mean square of the last 1024 samples, 0–1. */
  level(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    return rootMeanSquare(this.samples);
  }

  /** Whether somebody speaks, held over the pauses between words. */
  speaking(now: number): boolean {
    if (this.level() > SPEAKING) this.loudAt = now;
    return now - this.loudAt < HOLD_MS;
  }

  close(): void {
    this.source.disconnect();
    void this.context.close();
  }
}

export function rootMeanSquare(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < samples.length; index += 1) sum += (samples[index] ?? 0) ** 2;
  return Math.sqrt(sum / Math.max(1, samples.length));
}
