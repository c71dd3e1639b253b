import { beforeEach, expect, it } from 'vitest';

import { forgetDraft, forgetDrafts, keepDraft, readDraft } from './draft';

beforeEach(() => sessionStorage.clear());

it('is kept in this tab and nowhere else', () => {
  keepDraft('invitation.S1', { reason: '结节' });
  expect(readDraft('invitation.S1')).toEqual({ reason: '结节' });
  expect(Object.keys(localStorage)).not.toContain('telemed.draft.invitation.S1');
});

it('is forgotten one by one, or all at once with the person', () => {
  keepDraft('invitation.S1', { reason: 'a' });
  keepDraft('invitation.S2', { reason: 'b' });
  sessionStorage.setItem('other', 'stays');
  forgetDraft('invitation.S1');
  expect(readDraft('invitation.S1')).toEqual({});
  forgetDrafts();
  expect(readDraft('invitation.S2')).toEqual({});
  expect(sessionStorage.getItem('other')).toBe('stays');
});

it('that cannot be read counts as none', () => {
  sessionStorage.setItem('telemed.draft.x', '{broken');
  expect(readDraft('x')).toEqual({});
});
