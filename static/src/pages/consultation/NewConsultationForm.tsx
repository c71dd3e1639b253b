import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';

import { listDoctors, requestConsultation } from '../../api/endpoints';
import type { Hospital } from '../../api/types';
import { useAct, useResource } from '../../components/resource';
import { Refusal } from '../../components/States';
import { t } from '../../i18n';
import { forgetDraft, keepDraft, readDraft } from '../../state/draft';
import { draftName, emptyForm, errorsOf, type FieldName, type InvitationForm, toInvitation } from './invitationForm';
import { Invitee, Letter } from './InvitationFields';

interface FormProps {
  studyId: string;
  study: string;
  hospitals: Hospital[];
}

/** Written once, sent once; until then every keystroke is kept in this tab. */
export function NewConsultationForm({ studyId, study, hospitals }: FormProps) {
  const { route } = useLocation();
  const draft = draftName(studyId);
  const [form, setForm] = useState<InvitationForm>(() => ({
    ...emptyForm(new Date()),
    ...readDraft<InvitationForm>(draft),
  }));
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  const doctors = useResource(form.invited_hospital, async () =>
    form.invited_hospital ? (await listDoctors(form.invited_hospital)).items : [],
  );
  const errors = errorsOf(form, new Date());

  const change = (part: Partial<InvitationForm>) => {
    setForm({ ...form, ...part });
    keepDraft(draft, { ...form, ...part });
  };
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(errors).length > 0) return focusFirstError(event.currentTarget as HTMLFormElement);
    void run(async () => {
      const { id } = await requestConsultation(toInvitation(studyId, form));
      forgetDraft(draft);
      route(`/consultations/${id}`, true);
    });
  };
  const bind = (name: FieldName) => ({
    testid: `invite-${name}`,
    label: t(`invitation.${name}`),
    value: form[name],
    onChange: (value: string) => change({ [name]: value }),
    error: tried && errors[name] ? t(errors[name]) : undefined,
    required: true,
  });

  return (
    <form onSubmit={submit} noValidate>
      <header class="page-head">
        <h1>{t('invitation.new')}</h1>
        <span class="quiet-label">{study}</span>
        <div class="actions">
          <span class="quiet-label wide-only">{t('invitation.draft_kept')}</span>
          <a class="button" href={`/studies/${studyId}`}>
            {t('action.back')}
          </a>
          <button type="submit" class="button primary" disabled={busy} data-testid="invite-submit">
            {busy ? t('invitation.sending') : t('invitation.send')}
          </button>
        </div>
      </header>
      <Refusal error={error} />
      {tried && Object.keys(errors).length > 0 && (
        <p class="refusal" role="alert">
          {t('invitation.incomplete', { value: Object.keys(errors).length })}
        </p>
      )}
      <div class="columns columns-form">
        <Letter bind={bind} />
        <Invitee form={form} bind={bind} change={change} hospitals={hospitals} doctors={doctors.data ?? []} />
      </div>
    </form>
  );
}

/** After the errors are drawn. */
function focusFirstError(form: HTMLFormElement): void {
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
}
