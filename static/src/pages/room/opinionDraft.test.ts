import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/http';
import type { OpinionText } from '../../api/endpoints';
import type { Opinion } from '../../api/types';
import { readDraft } from '../../state/draft';
import { NO_OPINION, OpinionDraft } from './opinionDraft';

type Pending = { text: OpinionText; answer: (opinion: Partial<Opinion>) => void; refuse: (error: unknown) => void };

function server(): { save: (id: string, text: OpinionText) => Promise<Opinion>; calls: Pending[] } {
  const calls: Pending[] = [];
  const save = (_id: string, text: OpinionText): Promise<Opinion> =>
    new Promise((resolve, reject) => {
      const answer = (change: Partial<Opinion>) => resolve({ ...NO_OPINION, ...text, version: text.version + 1, saved_at: 'now', ...change });
      calls.push({ text, answer, refuse: reject });
    });
  return { save, calls };
}

beforeEach(() => {
  sessionStorage.clear();
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

describe('the opinion while it is written', () => {
  it('is saved by itself once the writer pauses', async () => {
    const { save, calls } = server();
    const draft = new OpinionDraft('c1', NO_OPINION, save);
    draft.edit({ findings: 'a' });
    draft.edit({ findings: 'ab' });
    await vi.advanceTimersByTimeAsync(1300);
    expect(calls.map(({ text }) => text.findings)).toEqual(['ab']);
    calls[0]!.answer({});
    await vi.advanceTimersByTimeAsync(0);
    expect([draft.state.value.kind, draft.version]).toEqual(['saved', 1]);
  });

  it('keeps what was typed while an answer was under way, and saves that too', async () => {
    const { save, calls } = server();
    const draft = new OpinionDraft('c1', NO_OPINION, save);
    draft.edit({ findings: 'first' });
    await vi.advanceTimersByTimeAsync(1300);
    draft.edit({ findings: 'first and more' });
    calls[0]!.answer({});
    await vi.advanceTimersByTimeAsync(2600);
    expect(draft.words.value.findings).toBe('first and more');
    expect(calls[1]!.text).toMatchObject({ findings: 'first and more', version: 1 });
  });

  it('tries again after a failure and says so meanwhile', async () => {
    const { save, calls } = server();
    const draft = new OpinionDraft('c1', NO_OPINION, save);
    draft.edit({ advice: 'x' });
    await vi.advanceTimersByTimeAsync(1300);
    calls[0]!.refuse(new ApiError('network', 0, 'away'));
    await vi.advanceTimersByTimeAsync(0);
    expect(draft.state.value.kind).toBe('failed');
    await vi.advanceTimersByTimeAsync(4100);
    expect(calls).toHaveLength(2);
  });

  it('outlives a closed tab', () => {
    new OpinionDraft('c1', NO_OPINION, server().save).edit({ conclusion: 'not saved yet' });
    const reopened = new OpinionDraft('c1', NO_OPINION, server().save);
    expect(reopened.words.value.conclusion).toBe('not saved yet');
    expect(reopened.state.value.kind).toBe('unsaved');
  });

  it('leaves no copy behind once the server has it', async () => {
    const { save, calls } = server();
    const draft = new OpinionDraft('c1', NO_OPINION, save);
    draft.edit({ findings: 'secret' });
    const done = draft.flush();
    await vi.advanceTimersByTimeAsync(0);
    calls[0]!.answer({});
    await done;
    expect(readDraft('opinion.c1')).toEqual({});
  });

  it('asks the writer when somebody else saved another version', () => {
    const draft = new OpinionDraft('c1', NO_OPINION, server().save);
    const theirs = { ...NO_OPINION, conclusion: 'theirs', version: 7 };
    draft.state.value = { kind: 'stale', theirs };
    draft.edit({ conclusion: 'mine' });
    expect(draft.state.value.kind).toBe('stale');
    draft.keepMine(theirs);
    expect([draft.words.value.conclusion, draft.version]).toEqual(['mine', 7]);
    draft.takeTheirs(theirs);
    expect(draft.words.value.conclusion).toBe('theirs');
  });
});
