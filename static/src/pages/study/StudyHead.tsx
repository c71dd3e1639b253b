import type { Study } from '../../api/types';
import { bytes, clockOf, date } from '../../format';
import { known, t } from '../../i18n';
import { studyWords } from '../desk/consultationColumns';

export function StudyHead({ study, mayInvite }: { study: Study; mayInvite: boolean }) {
  return (
    <header class="page-head">
      <h1>{studyWords(study)}</h1>
      <span class="quiet-label">
        {date(study.study_date)} {clockOf(study.study_time)} ·{' '}
        {t('study.size', { series: study.series_count, images: study.instance_count })} · {bytes(study.size_bytes)}
        {study.accession_number && ` · ${t('study.accession')} ${study.accession_number}`}
      </span>
      <Remarks words={study.remarks} />
      <div class="actions">
        {mayInvite && (
          <a class="button primary" href={`/consultations/new?study=${study.study_id}`} data-testid="study-invite">
            {t('study.invite')}
          </a>
        )}
      </div>
    </header>
  );
}

/** A repaired name must not look as if it had come so. */
function Remarks({ words }: { words: string[] }) {
  const shown = words.filter((word) => known(`upload.word.${word}`));
  if (shown.length === 0) return null;
  return (
    <span class="quiet-label study-remarks" data-testid="study-remarks">
      {shown.map((word) => t(`upload.word.${word}`)).join(' · ')}
    </span>
  );
}
