import type { Consultation } from '../../api/types';
import { clockOf, date } from '../../format';
import { t } from '../../i18n';
import { studyWords } from '../desk/consultationColumns';

/** The images that belong to the invitation, or why they cannot be seen. */
export function StudyCard({ consultation: { study, state } }: { consultation: Consultation }) {
  return (
    <section class="card">
      <h2>{t('study.title')}</h2>
      {study ? (
        <>
          <p>
            <strong>{studyWords(study)}</strong>
          </p>
          <p class="quiet-label">
            {date(study.study_date)} {clockOf(study.study_time)} ·{' '}
            {t('study.size', { series: study.series_count, images: study.instance_count })}
          </p>
          <a class="button" href={`/studies/${study.study_id}`} data-testid="consult-study">
            {t('study.open')}
          </a>
        </>
      ) : (
        <p class="quiet-label">{t(state === 'requested' ? 'study.hidden_until_accepted' : 'study.hidden')}</p>
      )}
    </section>
  );
}
