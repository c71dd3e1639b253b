import type { Consultation } from '../../api/types';
import { dateTime } from '../../format';
import { t } from '../../i18n';

/** What the requesting side wrote: the expert reads it beside the image. */
export function RequestSheet({ consultation }: { consultation: Consultation }) {
  const { reason, purpose, summary, requested_specialty, requested_title, scheduled_at } = consultation;
  const rows: [string, string][] = [
    ['reason', reason],
    ['purpose', purpose],
    ['summary', summary],
    ['specialty', [requested_specialty, requested_title].filter(Boolean).join(' · ')],
    ['time', dateTime(scheduled_at)],
  ];
  return (
    <dl class="request-sheet" data-testid="room-request">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{t(`room.request.${name}`)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
