/** Which consultations a chip shows; pure. */

import type { Consultation } from '../../api/types';

export const CHIPS = ['open', 'requested', 'accepted', 'opined', 'closed', 'urgent', 'overdue', 'all'] as const;

export type ChipName = (typeof CHIPS)[number];

const CLOSED = new Set<Consultation['state']>(['completed', 'declined', 'cancelled']);

export const isOpen = ({ state }: Pick<Consultation, 'state'>): boolean => !CLOSED.has(state);

/** The agreed time has passed and there is no opinion yet. */
export function isOverdue({ state, scheduled_at }: Pick<Consultation, 'state' | 'scheduled_at'>, now: Date): boolean {
  return (state === 'requested' || state === 'accepted') && new Date(scheduled_at) < now;
}

export function shows(chip: ChipName, consultation: Consultation, now: Date): boolean {
  switch (chip) {
    case 'all':
      return true;
    case 'open':
      return isOpen(consultation);
    case 'closed':
      return !isOpen(consultation);
    case 'urgent':
      return isOpen(consultation) && consultation.urgency === 'urgent';
    case 'overdue':
      return isOverdue(consultation, now);
    default:
      return consultation.state === chip;
  }
}

/** Whether the words occur in what the row shows. */
export function mentions({ patient, requesting_hospital, invited_hospital, ...rest }: Consultation, words: string) {
  const text = [
    patient.name,
    requesting_hospital.name,
    invited_hospital.name,
    rest.requesting_doctor.name,
    rest.expert?.name,
    rest.requested_specialty,
    rest.study?.study_description,
    rest.study?.patient_id,
  ];
  return text.some((part) => part?.toLowerCase().includes(words.trim().toLowerCase()));
}

export function isChip(name: string | undefined): name is ChipName {
  return CHIPS.some((chip) => chip === name);
}
