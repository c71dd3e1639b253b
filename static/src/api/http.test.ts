import { afterEach, describe, expect, it, vi } from 'vitest';

import { ApiError, get, post, problem, search, whenUnauthenticated } from './http';

const answer = (status: number, body: string) => vi.fn(async () => new Response(body || null, { status }));

afterEach(() => {
  vi.unstubAllGlobals();
  whenUnauthenticated(() => undefined);
});

describe('the API client', () => {
  it('sends JSON and gives back the decoded answer', async () => {
    const fetch = answer(201, '{"id":"C1"}');
    vi.stubGlobal('fetch', fetch);
    await expect(post('/consultations', { reason: '会诊' })).resolves.toEqual({ id: 'C1' });
    expect(fetch).toHaveBeenCalledWith(
      '/api/v1/consultations',
      expect.objectContaining({ method: 'POST', body: '{"reason":"会诊"}', credentials: 'same-origin' }),
    );
  });

  it('turns a problem document into an ApiError with its code and facts', async () => {
    vi.stubGlobal('fetch', answer(409, '{"code":"opinion.stale","title":"Stale","version":8}'));
    const error = await get('/x').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'opinion.stale', status: 409, facts: { version: 8 } });
  });

  it('says "network" when the server cannot be reached', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => {
        throw new TypeError('failed');
      }),
    );
    await expect(get('/x')).rejects.toMatchObject({ code: 'network', status: 0 });
  });

  it('answers nothing for 204', async () => {
    vi.stubGlobal('fetch', answer(204, ''));
    await expect(get('/x')).resolves.toBeUndefined();
  });

  it('tells when the session is gone, but not when a password was wrong', async () => {
    const gone = vi.fn();
    whenUnauthenticated(gone);
    vi.stubGlobal('fetch', answer(401, '{"code":"session.bad_credentials"}'));
    await get('/x').catch(() => undefined);
    expect(gone).not.toHaveBeenCalled();
    vi.stubGlobal('fetch', answer(401, '{"code":"unauthenticated"}'));
    await get('/x').catch(() => undefined);
    expect(gone).toHaveBeenCalledOnce();
  });
});

describe('a body that is no problem document', () => {
  it('is "unavailable" from a proxy, else "internal"', () => {
    expect(problem(502, '<html>').code).toBe('unavailable');
    expect(problem(500, '').code).toBe('internal');
  });
});

describe('search', () => {
  it('leaves out what is empty and escapes the rest', () => {
    expect(search({ q: '王 小', limit: 50, before: undefined, actor: '' })).toBe('?q=%E7%8E%8B+%E5%B0%8F&limit=50');
    expect(search({})).toBe('');
  });
});
