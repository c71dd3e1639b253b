/** The opinion: the expert writes and signs it, everybody else reads it. */
import { useEffect, useMemo, useState } from 'preact/hooks';

import { opinionPdfUrl, signOpinion } from '../../api/endpoints';
import type { Consultation, Opinion as SavedOpinion } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { TextArea, TextField } from '../../components/fields';
import { useAct } from '../../components/resource';
import { Refusal } from '../../components/States';
import { dateTime, time } from '../../format';
import { t } from '../../i18n';
import { me } from '../../state/session';
import { NO_OPINION, OpinionDraft, type SaveState, type Words } from './opinionDraft';

type OpinionProps = { consultation: Consultation; replace: (changed: Consultation) => void };

const PARTS = ['findings', 'conclusion', 'advice'] as const;

export function Opinion({ consultation, replace }: OpinionProps) {
  const writes = consultation.actions.includes('write_opinion');
  return writes ? <Editor consultation={consultation} replace={replace} /> : <Reader consultation={consultation} />;
}

function Reader({ consultation: { id, opinion, actions } }: { consultation: Consultation }) {
  if (!opinion || opinion.version === 0) return <p class="quiet-label side-words" data-testid="opinion-empty">{t('room.opinion.waiting')}</p>;
  return (
    <section class="opinion" data-testid="opinion-read">
      <Signature opinion={opinion} />
      <dl class="request-sheet">
        {PARTS.map((part) => (
          <div key={part}>
            <dt>{t(`room.opinion.${part}`)}</dt>
            <dd data-testid={`opinion-read-${part}`}>{opinion[part]}</dd>
          </div>
        ))}
      </dl>
      {actions.includes('print') && (
        <a class="button" href={opinionPdfUrl(id)} target="_blank" rel="noreferrer" data-testid="opinion-print">
          {t('room.opinion.print')}
        </a>
      )}
      {actions.includes('acknowledge') && (
        <a class="button primary" href={`/consultations/${id}`} data-testid="opinion-to-acknowledge">
          {t('room.opinion.acknowledge')}
        </a>
      )}
    </section>
  );
}

function Signature({ opinion }: { opinion: SavedOpinion }) {
  const words = opinion.signed_at
    ? t('room.opinion.signed', { name: opinion.signed_by?.name ?? '', value: dateTime(opinion.signed_at) })
    : t('room.opinion.draft');
  return (
    <p class={opinion.signed_at ? 'opinion-signed' : 'quiet-label'} data-testid="opinion-state" data-signed={opinion.signed_at !== null}>
      {words}
    </p>
  );
}

function Editor({ consultation, replace }: OpinionProps) {
  const draft = useMemo(() => new OpinionDraft(consultation.id, consultation.opinion ?? NO_OPINION), [consultation.id]);
  const [signing, setSigning] = useState(false);
  useEffect(() => () => draft.close(), [draft]);
  const words = draft.words.value;
  return (
    <section class="opinion">
      {PARTS.map((part) => (
        <TextArea
          key={part}
          testid={`opinion-${part}`}
          label={t(`room.opinion.${part}`)}
          rows={part === 'findings' ? 5 : 3}
          value={words[part]}
          onChange={(text) => draft.edit({ [part]: text } as Partial<Words>)}
          required={part === 'conclusion'}
        />
      ))}
      <footer class="opinion-foot">
        <Saved draft={draft} state={draft.state.value} />
        <button type="button" class="button primary" onClick={() => setSigning(true)} data-testid="opinion-sign">
          {t('room.opinion.sign')}
        </button>
      </footer>
      {signing && <SignDialog consultation={consultation} draft={draft} replace={replace} close={() => setSigning(false)} />}
    </section>
  );
}

function Saved({ draft, state }: { draft: OpinionDraft; state: SaveState }) {
  if (state.kind === 'stale') return <Stale draft={draft} theirs={state.theirs} />;
  return (
    <span class={`opinion-save save-${state.kind}`} role="status" data-testid="opinion-save" data-state={state.kind}>
      {saveWords(state)}
    </span>
  );
}

function saveWords(state: Exclude<SaveState, { kind: 'stale' }>): string {
  if (state.kind === 'saved') return state.at ? t('room.opinion.saved', { value: time(state.at) }) : '';
  return state.kind === 'failed' ? t('room.opinion.failed', { value: state.words }) : t(`room.opinion.${state.kind}`);
}

function Stale({ draft, theirs }: { draft: OpinionDraft; theirs: SavedOpinion }) {
  return (
    <div class="device-trouble" role="alert" data-testid="opinion-stale">
      <p>{t('room.opinion.stale')}</p>
      <p class="quiet-label">{theirs.conclusion}</p>
      <button type="button" class="button" onClick={() => draft.keepMine(theirs)} data-testid="opinion-keep-mine">
        {t('room.opinion.stale.mine')}
      </button>{' '}
      <button type="button" class="button" onClick={() => draft.takeTheirs(theirs)} data-testid="opinion-take-theirs">
        {t('room.opinion.stale.theirs')}
      </button>
    </div>
  );
}

type SignProps = OpinionProps & { draft: OpinionDraft; close: () => void };

/** The signature: what is signed is what the server has, so the last words are saved first. */
function SignDialog({ consultation, draft, replace, close }: SignProps) {
  const [password, setPassword] = useState('');
  const { busy, error, run } = useAct();
  const empty = draft.words.value.conclusion.trim() === '';
  const sign = async () => {
    await draft.flush();
    if (draft.state.value.kind !== 'saved') return close();
    const signed = await signOpinion(consultation.id, draft.version, password);
    close();
    replace(signed);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void run(sign);
  };
  return (
    <Dialog title={t('room.opinion.sign.title')} onClose={close}>
      <form onSubmit={submit}>
        <p>{t('room.opinion.sign.words', { name: me().name })}</p>
        {empty && <p class="refusal">{t('room.opinion.need_conclusion')}</p>}
        <TextField testid="opinion-password" label={t('room.opinion.sign.password')} type="password" autocomplete="current-password" value={password} onChange={setPassword} autofocus />
        <Refusal error={error} />
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={close} data-testid="opinion-sign-back">
            {t('room.back')}
          </button>
          <button type="submit" class="button grave" disabled={busy || empty || !password} data-testid="opinion-sign-confirm">
            {t('room.opinion.sign.confirm')}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
