import type { StudyRow } from '../../api/types';
import type { Column } from '../../components/Table';
import { age, clockOf, date, dateTime, sex } from '../../format';
import { t } from '../../i18n';

export function studyColumns(): Column<StudyRow>[] {
  return [
    { name: 'patient', title: t('column.patient'), cell: (row) => <PatientCell row={row} /> },
    { name: 'patient-id', title: t('patient.id'), cell: (row) => row.patient_id },
    { name: 'modality', title: t('column.modality'), cell: (row) => row.modalities.join('/') },
    { name: 'description', title: t('column.description'), cell: (row) => row.study_description },
    { name: 'date', title: t('column.study_date'), cell: (row) => `${date(row.study_date)} ${clockOf(row.study_time)}` },
    {
      name: 'size',
      title: t('column.size'),
      cell: (row) => `${row.series_count} / ${row.instance_count}`,
    },
    { name: 'review', title: t('column.review'), cell: (row) => <ReviewCell row={row} /> },
    { name: 'owner', title: t('patient.hospital'), cell: (row) => row.owner_name, wideOnly: true },
    { name: 'updated', title: t('column.updated'), cell: (row) => dateTime(row.updated_at), wideOnly: true },
  ];
}

function PatientCell({ row }: { row: StudyRow }) {
  return (
    <>
      <strong class="name">{row.patient_name || t('patient.unnamed')}</strong>{' '}
      <span class="quiet-label">
        {sex(row.patient_sex)} {age(row.patient_age, row.patient_birth_date)}
      </span>
    </>
  );
}

function ReviewCell({ row }: { row: StudyRow }) {
  if (row.open_findings > 0) {
    return <span class="badge badge-ai">{t('review.open', { value: row.open_findings })}</span>;
  }
  return <span class="quiet-label">{row.review_state ? t(`review.state.${row.review_state}`) : t('review.none')}</span>;
}
