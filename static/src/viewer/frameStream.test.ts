import { afterEach, describe, expect, it, vi } from 'vitest';
import { acceptFor, FrameStream, PROGRESSIVE } from './frameStream';

afterEach(() => vi.unstubAllGlobals());

function answer(pieces: number[][], headers: Record<string, string> = {}, status = 200): void {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new Uint8Array(piece));
      controller.close();
    },
  });
  vi.stubGlobal('fetch', vi.fn(async () => ({ ok: status === 200, status, body, headers: new Headers(headers) })));
}

describe('what is asked for', () => {
  it('is the copy for large frames, on any link', () => {
    expect(acceptFor(18_000_000, 1000)).toContain(PROGRESSIVE);
    expect(acceptFor(18_000_000, null)).toContain(PROGRESSIVE);
  });

  it('is the copy for slices only where bytes are dearer than decoding', () => {
    expect(acceptFor(524_288, 30)).toContain(PROGRESSIVE);
    expect(acceptFor(524_288, 2000)).not.toContain(PROGRESSIVE);
    expect(acceptFor(524_288, null)).not.toContain(PROGRESSIVE);
  });

  it('always takes the stored form, too', () => {
    expect(acceptFor(18_000_000, 30)).toMatch(/, application\/octet-stream; transfer-syntax=\*$/);
  });
});

describe('a frame on its way', () => {
  it('tells of every piece and ends with all of them', async () => {
    answer([[1, 2], [3], [4, 5, 6]], { 'Content-Type': `image/jphc; transfer-syntax=${PROGRESSIVE}`, 'Content-Length': '6' });
    const stream = new FrameStream('/frame', 100, true);
    const seen: number[] = [];
    stream.onMore(() => seen.push(stream.got.length));
    expect([...(await stream.whole)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen).toEqual([0, 2, 3, 6]);
    expect(stream.syntax).toBe(PROGRESSIVE);
  });

  it('grows where the length was not told or was wrong', async () => {
    answer([[1, 2, 3], [4]], { 'Content-Length': '2' });
    expect([...(await new FrameStream('/frame', 100, false).whole)]).toEqual([1, 2, 3, 4]);
  });

  it('fails where the server refuses', async () => {
    answer([], {}, 404);
    await expect(new FrameStream('/frame', 100, true).whole).rejects.toThrow('404');
  });
});
