import type { Consultation } from '../../api/types';
import { dateTime } from '../../format';
import { t } from '../../i18n';
import { timeline } from './timeline';

export function Timeline({ consultation }: { consultation: Consultation }) {
  return (
    <section class="card">
      <h2>{t('timeline.title')}</h2>
      <ol class="timeline" data-testid="consult-timeline">
        {timeline(consultation).map(({ name, place, at, who }) => (
          <li key={name} class={`step step-${place} step-${name}`} aria-current={place === 'now' ? 'step' : undefined}>
            <strong>{t(place === 'done' ? `timeline.done.${name}` : `timeline.${place}.${name}`)}</strong>
            {place === 'done' && (
              <span class="quiet-label">
                {dateTime(at)} {who}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
