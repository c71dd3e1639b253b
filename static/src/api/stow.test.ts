import { describe, expect, it } from 'vitest';

import { ApiError } from './http';
import { readStoreAnswer } from './stow';

const STORED = JSON.stringify({ '00081199': { vr: 'SQ', Value: [{}] } });
const FAILED = JSON.stringify({ '00081198': { vr: 'SQ', Value: [{}] } });

describe('the store answer', () => {
  it.each([
    [null, 'stored'],
    ['299 archive "already_stored"', 'already_stored'],
    ['299 archive "charset_repaired"', 'repaired'],
    ['299 archive "already_stored", 299 archive "charset_repaired"', 'already_stored'],
    ['299 archive "patient_id_missing"', 'remarked'],
  ])('with the warning %s is %s', (warning, kind) => {
    expect(readStoreAnswer({ status: 200, body: STORED, warning })).toMatchObject({ kind });
  });

  it('names why an instance is refused', () => {
    const answer = { status: 409, body: FAILED, warning: '299 archive "truncated"' };
    expect(readStoreAnswer(answer)).toEqual({ kind: 'refused', words: ['truncated'] });
  });

  it('tells a conflict of contents from other refusals', () => {
    const answer = { status: 409, body: FAILED, warning: '299 archive "different_bytes"' };
    expect(readStoreAnswer(answer)).toMatchObject({ kind: 'conflict' });
  });

  it('that names no instance is an error of the whole request', () => {
    const error = readStoreAnswer({ status: 503, body: '{"code":"store.try_later"}', warning: null });
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'store.try_later', status: 503 });
  });
});
