import type { Opinion } from '../../api/types';
import { dateTime } from '../../format';
import { t } from '../../i18n';

const PARTS = ['findings', 'conclusion', 'advice'] as const;

/** The signed opinion, as the requesting side reads it. */
export function OpinionText({ opinion }: { opinion: Opinion }) {
  const by = opinion.signed_by;
  return (
    <section class="card" data-testid="consult-opinion">
      <h2>{t('opinion.title')}</h2>
      <dl class="facts">
        {PARTS.map((part) => (
          <div class="fact" key={part}>
            <dt>{t(`opinion.${part}`)}</dt>
            <dd class="prose">{opinion[part]}</dd>
          </div>
        ))}
      </dl>
      {by && (
        <p class="signature">
          {t('opinion.signed', {
            hospital: by.hospital?.name ?? '',
            name: by.name,
            title: by.title,
            at: dateTime(opinion.signed_at),
          })}
        </p>
      )}
      <p class="quiet-label">{t('opinion.who_decides')}</p>
    </section>
  );
}
