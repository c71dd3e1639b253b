/** The steps of a consultation as a reader sees them; pure. */

import type { Consultation, ConsultationAction } from '../../api/types';

export interface Step {
  name: 'requested' | 'accepted' | 'opined' | 'completed' | 'declined' | 'cancelled';
  place: 'done' | 'now' | 'ahead';
  at: string | null;
  who: string;
}

/** What was done, what is waited for (one step, `now`), what lies ahead. */
export function timeline(consultation: Consultation): Step[] {
  const requester = `${consultation.requesting_hospital.name} ${consultation.requesting_doctor.name}`;
  const expert = `${consultation.invited_hospital.name} ${consultation.expert?.name ?? ''}`.trim();
  const steps: Omit<Step, 'place'>[] = [
    { name: 'requested', at: consultation.created_at, who: requester },
    { name: 'accepted', at: consultation.accepted_at, who: expert },
    { name: 'opined', at: consultation.opined_at, who: expert },
    { name: 'completed', at: consultation.state === 'completed' ? consultation.closed_at : null, who: requester },
  ];
  if (consultation.state === 'declined' || consultation.state === 'cancelled') {
    const declined = consultation.state === 'declined';
    const at = declined ? consultation.declined_at : consultation.closed_at;
    const taken = steps.filter((step) => step.at !== null);
    const end = { name: consultation.state, at, who: declined ? expert : requester };
    return [...taken, end].map((step) => ({ ...step, place: 'done' }));
  }
  const done = ['requested', 'accepted', 'opined', 'completed'].indexOf(consultation.state);
  return steps.map((step, index) => ({
    ...step,
    place: index <= done ? 'done' : index === done + 1 ? 'now' : 'ahead',
  }));
}

/** In this order one action is the next; writing and signing the opinion happen in the room. */
const NEXT: readonly ConsultationAction[] = ['acknowledge', 'accept', 'join', 'print'];

/** The one next action of the signed-in person, and what else may be done. */
export function arrange(actions: readonly ConsultationAction[]) {
  const next = NEXT.find((action) => actions.includes(action)) ?? null;
  const shown: readonly ConsultationAction[] = [...NEXT, 'decline', 'cancel'];
  return { next, others: shown.filter((action) => actions.includes(action) && action !== next) };
}
