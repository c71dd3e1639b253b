import type { Hospital, User } from '../../api/types';
import { Select, TextArea, TextField } from '../../components/fields';
import { t } from '../../i18n';
import { candidates, choices, type FieldName, type InvitationForm } from './invitationForm';

interface Bound {
  testid: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
  required: boolean;
}

type Bind = (name: FieldName) => Bound;

export function Letter({ bind }: { bind: Bind }) {
  return (
    <section class="card">
      <h2>{t('invitation.letter')}</h2>
      <TextArea {...bind('reason')} rows={3} hint={t('invitation.hint.reason')} />
      <TextArea {...bind('purpose')} rows={3} hint={t('invitation.hint.purpose')} />
      <TextArea {...bind('summary')} rows={8} hint={t('invitation.hint.summary')} />
    </section>
  );
}

interface InviteeProps {
  form: InvitationForm;
  bind: Bind;
  change: (part: Partial<InvitationForm>) => void;
  hospitals: Hospital[];
  doctors: User[];
}

export function Invitee({ form, bind, change, hospitals, doctors }: InviteeProps) {
  const { specialties, titles } = choices(doctors, form.requested_specialty);
  return (
    <section class="card">
      <h2>{t('invitation.to')}</h2>
      <Select
        {...bind('invited_hospital')}
        onChange={(code) => change({ invited_hospital: code, requested_specialty: '', requested_title: '' })}
        placeholder={t('form.choose')}
        options={hospitals.map(({ code, name, city }) => ({ value: code, label: `${name}（${city}）` }))}
      />
      <TextField
        {...bind('requested_specialty')}
        suggestions={specialties}
        hint={form.invited_hospital ? undefined : t('invitation.hint.hospital_first')}
      />
      <TextField {...bind('requested_title')} suggestions={titles} />
      <Candidates form={form} doctors={doctors} />
      <TextField {...bind('scheduled_at')} type="datetime-local" />
      <Urgency form={form} change={change} />
    </section>
  );
}

function Candidates({ form, doctors }: { form: InvitationForm; doctors: User[] }) {
  if (!form.invited_hospital) return null;
  const names = candidates(doctors, form).map((doctor) => `${doctor.name} ${doctor.title}`);
  return (
    <p class={names.length > 0 ? 'quiet-label invitee-note' : 'notice'} role="status" data-testid="invite-candidates">
      {names.length > 0
        ? t('invitation.candidates', { value: names.length, names: names.slice(0, 5).join('、') })
        : t('invitation.no_candidates')}
    </p>
  );
}

function Urgency({ form, change }: Pick<InviteeProps, 'form' | 'change'>) {
  return (
    <fieldset class="choice">
      <legend>{t('invitation.urgency')}</legend>
      {(['ordinary', 'urgent'] as const).map((urgency) => (
        <label key={urgency}>
          <input
            type="radio"
            name="urgency"
            checked={form.urgency === urgency}
            onChange={() => change({ urgency })}
            data-testid={`invite-urgency-${urgency}`}
          />
          {t(`consultation.urgency.${urgency}`)}
        </label>
      ))}
    </fieldset>
  );
}
