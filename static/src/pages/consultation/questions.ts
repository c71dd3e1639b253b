/** What is asked before an action that counts. */

import {
  acceptConsultation,
  acknowledgeOpinion,
  cancelConsultation,
  declineConsultation,
} from '../../api/endpoints';
import type { Consultation } from '../../api/types';
import type { Question } from '../../components/AskOnce';
import { dateTime } from '../../format';
import { t } from '../../i18n';

export type Asked = 'accept' | 'decline' | 'cancel' | 'acknowledge';

const ACTS: Record<Asked, (id: string, text: string) => Promise<Consultation>> = {
  accept: acceptConsultation,
  decline: declineConsultation,
  cancel: cancelConsultation,
  acknowledge: acknowledgeOpinion,
};

/** `done` gets the consultation as it is afterwards. */
export function questionOf(asked: Asked, row: Consultation, done: (after: Consultation) => void): Question {
  return {
    name: `consult-${asked}`,
    title: t(`ask.${asked}.title`),
    words: t(`ask.${asked}.words`, { hospital: row.requesting_hospital.name, at: dateTime(row.scheduled_at) }),
    confirm: t(`ask.${asked}.confirm`),
    grave: asked === 'decline' || asked === 'cancel',
    ...(asked !== 'accept' && { text: t(`ask.${asked}.text`) }),
    act: async (text) => done(await ACTS[asked](row.id, text)),
  };
}
