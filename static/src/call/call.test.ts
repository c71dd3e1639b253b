import { describe, expect, it } from 'vitest';
import { rootMeanSquare } from './level';
import { openMedia, type Source } from './media';
import { fingerprint } from './peerLink';
import { counters, grade, plotPoints, quality } from './quality';

class Track {
  constructor(readonly kind: string) {}
}

class Stream {
  constructor(private readonly tracks: Track[] = []) {}
  getTracks(): Track[] {
    return this.tracks;
  }
}
globalThis.MediaStream = Stream as unknown as typeof MediaStream;

/** A browser with these devices; a missing kind fails the whole request, as browsers do. */
function source(kinds: string[], failure = 'NotFoundError'): Source {
  return {
    enumerateDevices: async () => [],
    getUserMedia: async ({ audio, video }: MediaStreamConstraints = {}) => {
      const wanted = [audio && 'audio', video && 'video'].filter((kind): kind is string => Boolean(kind));
      if (wanted.some((kind) => !kinds.includes(kind))) throw Object.assign(new Error('none'), { name: failure });
      return new Stream(wanted.map((kind) => new Track(kind))) as unknown as MediaStream;
    },
  };
}

const ANY = { camera: 'default', microphone: 'default' };
const opened = async (from: Source | undefined, choice = ANY): Promise<[string[], string | null]> => {
  const { stream, problem } = await openMedia(choice, from);
  return [stream.getTracks().map(({ kind }) => kind), problem];
};

describe('own devices', () => {
  it('open camera and microphone together', async () => {
    expect(await opened(source(['audio', 'video']))).toEqual([['audio', 'video'], null]);
  });

  it('go on with sound when there is no camera, and the other way round', async () => {
    expect(await opened(source(['audio']))).toEqual([['audio'], 'no_camera']);
    expect(await opened(source(['video']))).toEqual([['video'], 'no_microphone']);
  });

  it('go on with nothing', async () => {
    expect(await opened(source([]))).toEqual([[], 'no_devices']);
    expect(await opened(source([], 'NotAllowedError'))).toEqual([[], 'refused']);
    expect(await opened(source([], 'NotReadableError'))).toEqual([[], 'busy']);
    expect(await opened(undefined)).toEqual([[], 'insecure']);
  });

  it('are not asked for when nobody wants them', async () => {
    expect(await opened(source([]), { camera: 'none', microphone: 'none' })).toEqual([[], null]);
  });
});

const report = (received: number, lost: number, frames = 0): unknown[] => [
  { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.123 },
  { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
  { type: 'inbound-rtp', kind: 'video', packetsReceived: received, packetsLost: lost, framesDecoded: frames, bytesReceived: received * 1000 },
];

describe('line quality', () => {
  it('tells loss and bitrate of the time since the last sample', () => {
    const before = counters(report(100, 10), 0);
    const now = counters(report(190, 20, 50), 2000);
    expect(quality(before, now)).toEqual({ rtt_ms: 123, loss_percent: 10, frames_decoded: 50, kbit_s: 360 });
  });

  it('starts again when the connection was made anew', () => {
    expect(quality(counters(report(1000, 500), 0), counters(report(10, 0), 2000)).loss_percent).toBe(0);
  });

  it('grades what a doctor will notice', () => {
    const line = { rtt_ms: 50, loss_percent: 0, frames_decoded: 0, kbit_s: 0 };
    expect([line, { ...line, rtt_ms: 250 }, { ...line, loss_percent: 9 }].map(grade)).toEqual(['good', 'fair', 'bad']);
  });

  it('draws the newest sample at the right edge', () => {
    expect(plotPoints([0, 50], 59, 10)).toBe('58.0,10.0 59.0,0.0');
  });
});

describe('signals', () => {
  it('know a page by its certificate', () => {
    expect(fingerprint('v=0\r\na=fingerprint:sha-256 AB:CD\r\nm=audio')).toBe('sha-256 AB:CD');
    expect(fingerprint(undefined)).toBeNull();
  });

  it('measure loudness', () => {
    expect(rootMeanSquare([0.5, -0.5, 0.5, -0.5])).toBeCloseTo(0.5);
  });
});
