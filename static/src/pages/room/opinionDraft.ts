/** The expert's words on their way to the server: saved by themselves, never overwritten by an answer that came late. */
import { signal } from '@preact/signals';

import { getConsultation, saveOpinion, type OpinionText } from '../../api/endpoints';
import { ApiError } from '../../api/http';
import type { Opinion } from '../../api/types';
import { errorText } from '../../i18n';
import { forgetDraft, keepDraft, readDraft } from '../../state/draft';

export type Words = Pick<Opinion, 'findings' | 'conclusion' | 'advice'>;
export type SaveState =
  | { kind: 'saved'; at: string | null }
  | { kind: 'unsaved' }
  | { kind: 'saving' }
  | { kind: 'failed'; words: string }
  | { kind: 'stale'; theirs: Opinion };

const QUIET_MS = 1200;
const RETRY_MS = 4000;

export const NO_OPINION: Opinion = { findings: '', conclusion: '', advice: '', version: 0, saved_at: null, signed_at: null, signed_by: null };

export class OpinionDraft {
  readonly words = signal<Words>(NO_OPINION);
  readonly state = signal<SaveState>({ kind: 'saved', at: null });
  version: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<void> | null = null;

  constructor(private readonly consultation: string, saved: Opinion, private readonly save = saveOpinion) {
    this.version = saved.version;
    this.words.value = pick(saved);
    this.state.value = { kind: 'saved', at: saved.saved_at };
    this.recover();
  }

  /** Words that a closed or crashed tab had not saved yet. */
  private recover(): void {
    const kept = readDraft<Words>(this.name());
    if (Object.keys(kept).length > 0) this.edit(kept);
  }

  private name(): string {
    return `opinion.${this.consultation}`;
  }

  edit(change: Partial<Words>): void {
    this.words.value = { ...this.words.value, ...change };
    keepDraft(this.name(), this.words.value);
    if (this.state.value.kind === 'stale') return;
    if (this.state.value.kind !== 'saving') this.state.value = { kind: 'unsaved' };
    this.later(QUIET_MS);
  }

  /** Saves what is not saved yet; resolves when the server has it, or has refused. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    await this.saving;
    if (this.state.value.kind !== 'stale' && this.isDirty()) await this.send();
  }

  isDirty(): boolean {
    return this.state.value.kind !== 'saved' || Object.keys(readDraft(this.name())).length > 0;
  }

  keepMine(theirs: Opinion): void {
    this.version = theirs.version;
    this.state.value = { kind: 'unsaved' };
    this.later(0);
  }

  takeTheirs(theirs: Opinion): void {
    this.version = theirs.version;
    this.words.value = pick(theirs);
    forgetDraft(this.name());
    this.state.value = { kind: 'saved', at: theirs.saved_at };
  }

  close(): void {
    clearTimeout(this.timer);
    void this.flush();
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), ms);
  }

  private send(): Promise<void> {
    this.saving = this.exchange().finally(() => (this.saving = null));
    return this.saving;
  }

  private async exchange(): Promise<void> {
    const sent = this.words.value;
    this.state.value = { kind: 'saving' };
    try {
      const saved = await this.save(this.consultation, { ...sent, version: this.version } satisfies OpinionText);
      this.arrived(sent, saved);
    } catch (error) {
      await this.refused(error);
    }
  }

  private arrived(sent: Words, saved: Opinion): void {
    this.version = saved.version;
    if (sent === this.words.value) {
      forgetDraft(this.name());
      this.state.value = { kind: 'saved', at: saved.saved_at };
      return;
    }
    this.state.value = { kind: 'unsaved' };
    this.later(QUIET_MS);
  }

  private async refused(error: unknown): Promise<void> {
    if (error instanceof ApiError && error.code === 'opinion.stale') {
      const { opinion } = await getConsultation(this.consultation);
      if (opinion) this.state.value = { kind: 'stale', theirs: opinion };
      return;
    }
    this.state.value = { kind: 'failed', words: errorText(error) };
    this.later(RETRY_MS);
  }
}

function pick({ findings, conclusion, advice }: Opinion): Words {
  return { findings, conclusion, advice };
}
