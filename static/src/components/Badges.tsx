import type { Consultation } from '../api/types';
import { t } from '../i18n';

export function StateBadge({ state }: Pick<Consultation, 'state'>) {
  return <span class={`badge badge-${state}`}>{t(`consultation.state.${state}`)}</span>;
}

export function UrgentBadge({ urgency }: Pick<Consultation, 'urgency'>) {
  return urgency === 'urgent' ? <span class="badge badge-urgent">{t('consultation.urgency.urgent')}</span> : null;
}
