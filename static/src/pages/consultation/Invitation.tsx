import type { ComponentChildren } from 'preact';

import type { Consultation } from '../../api/types';
import { dateTime } from '../../format';
import { t } from '../../i18n';
import { isOverdue } from '../desk/filters';

export function Invitation({ consultation }: { consultation: Consultation }) {
  const { requesting_doctor: doctor, expert } = consultation;
  const overdue = isOverdue(consultation, new Date());
  return (
    <section class="card" data-testid="consult-invitation">
      <h2>{t('invitation.title')}</h2>
      <Refused consultation={consultation} />
      <dl class="facts">
        <Fact name="requester">
          {consultation.requesting_hospital.name} · {doctor.name} {doctor.title}
        </Fact>
        <Fact name="invited">
          {consultation.invited_hospital.name}
          {expert && ` · ${expert.name} ${expert.title}`}
        </Fact>
        <Fact name="wanted">
          {consultation.requested_specialty} · {consultation.requested_title}
        </Fact>
        <Fact name="scheduled_at">
          <span class={overdue ? 'overdue' : ''}>
            {dateTime(consultation.scheduled_at)} {overdue && t('consultation.overdue')}
          </span>
        </Fact>
        <Fact name="reason">{consultation.reason}</Fact>
        <Fact name="purpose">{consultation.purpose}</Fact>
        <Fact name="summary">{consultation.summary}</Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{t(`invitation.${name}`)}</dt>
      <dd class="prose">{children}</dd>
    </div>
  );
}

/** Why it ended without an opinion. */
function Refused({ consultation: { state, decline_reason, cancel_reason } }: { consultation: Consultation }) {
  const reason = state === 'declined' ? decline_reason : state === 'cancelled' ? cancel_reason : null;
  return reason ? (
    <p class="notice" data-testid="consult-reason">
      <strong>{t(`consultation.reason_of.${state}`)}</strong> {reason}
    </p>
  ) : null;
}
