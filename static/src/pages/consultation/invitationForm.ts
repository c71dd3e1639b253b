/** The invitation being written: its fields, what is still wrong with it, what is sent; pure. */

import type { NewConsultation, Urgency, User } from '../../api/types';
import { localInput } from '../../format';

export interface InvitationForm {
  invited_hospital: string;
  requested_specialty: string;
  requested_title: string;
  reason: string;
  purpose: string;
  summary: string;
  /** As a datetime-local field has it, in the browser's zone. */
  scheduled_at: string;
  urgency: Urgency;
}

type Letter = Pick<InvitationForm, 'reason' | 'purpose' | 'summary' | 'urgency'>;

export type FieldName = keyof InvitationForm;

/** The field's trouble as a message key. */
export type FieldErrors = Partial<Record<FieldName, string>>;

const MANDATORY: readonly FieldName[] = [
  'invited_hospital',
  'requested_specialty',
  'requested_title',
  'reason',
  'purpose',
  'summary',
  'scheduled_at',
];

const MAX_CHARACTERS: Partial<Record<FieldName, number>> = {
  reason: 2000,
  purpose: 2000,
  summary: 8000,
  requested_specialty: 64,
  requested_title: 64,
};

/** Under which name the draft of a study's invitation is kept. */
export const draftName = (study: string) => `invitation.${study}`;

/** What another hospital can be told as well: the letter without its addressee and its time. */
export function letterOf({ reason, purpose, summary, urgency }: Letter): Letter {
  return { reason, purpose, summary, urgency };
}

const HOUR_MS = 3_600_000;

/** Starts at the next full hour but one: soon enough to be useful, late enough to be answered. */
export function emptyForm(now: Date): InvitationForm {
  const start = new Date(Math.ceil(now.getTime() / HOUR_MS) * HOUR_MS + HOUR_MS);
  return {
    invited_hospital: '',
    requested_specialty: '',
    requested_title: '',
    reason: '',
    purpose: '',
    summary: '',
    scheduled_at: localInput(start),
    urgency: 'ordinary',
  };
}

export function errorsOf(form: InvitationForm, now: Date): FieldErrors {
  const errors: FieldErrors = {};
  for (const name of MANDATORY) {
    if (!form[name].trim()) errors[name] = `invitation.missing.${name}`;
    else if (form[name].length > (MAX_CHARACTERS[name] ?? Infinity)) errors[name] = 'invitation.too_long';
  }
  if (!errors.scheduled_at && new Date(form.scheduled_at) < now) errors.scheduled_at = 'invitation.past';
  return errors;
}

export function toInvitation(study: string, form: InvitationForm): NewConsultation {
  return {
    ...form,
    study_id: study,
    requested_specialty: form.requested_specialty.trim(),
    requested_title: form.requested_title.trim(),
    reason: form.reason.trim(),
    purpose: form.purpose.trim(),
    summary: form.summary.trim(),
    scheduled_at: new Date(form.scheduled_at).toISOString(),
  };
}

const distinct = (values: string[]) => [...new Set(values.filter(Boolean))].toSorted((a, b) => a.localeCompare(b, 'zh'));

/** What can be asked for at a hospital: the specialties of its doctors, and the titles within the chosen one. */
export function choices(doctors: User[], specialty: string) {
  const fitting = doctors.filter((doctor) => !specialty || doctor.specialty === specialty);
  return { specialties: distinct(doctors.map((d) => d.specialty)), titles: distinct(fitting.map((d) => d.title)) };
}

/** The doctors who would fit the invitation as it stands. */
export function candidates(doctors: User[], form: InvitationForm): User[] {
  return doctors.filter(
    (doctor) =>
      (!form.requested_specialty || doctor.specialty === form.requested_specialty) &&
      (!form.requested_title || doctor.title === form.requested_title),
  );
}
