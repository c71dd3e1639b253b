import type { Consultation } from '../../api/types';
import { StateBadge, UrgentBadge } from '../../components/Badges';
import type { Column } from '../../components/Table';
import { age, dateTime, sex } from '../../format';
import { t } from '../../i18n';
import type { Box } from './ConsultationsTab';
import { isOverdue } from './filters';

export function columnsFor(box: Box, now: Date): Column<Consultation>[] {
  return [
    { name: 'state', title: t('column.state'), cell: (row) => <StateCell row={row} /> },
    { name: 'patient', title: t('column.patient'), cell: (row) => <PatientCell row={row} /> },
    { name: 'study', title: t('column.study'), cell: ({ study }) => (study ? studyWords(study) : '—'), wideOnly: true },
    box === 'received'
      ? { name: 'party', title: t('column.from'), cell: (row) => party(row.requesting_hospital, row.requesting_doctor) }
      : { name: 'party', title: t('column.to'), cell: (row) => party(row.invited_hospital, row.expert) },
    { name: 'wanted', title: t('column.wanted'), cell: (row) => <WantedCell row={row} /> },
    { name: 'scheduled', title: t('column.scheduled'), cell: (row) => <ScheduledCell row={row} now={now} /> },
    { name: 'created', title: t('column.created'), cell: (row) => dateTime(row.created_at), wideOnly: true },
  ];
}

const party = (hospital: Consultation['invited_hospital'], person: Consultation['expert']) =>
  person ? `${hospital.name} · ${person.name}` : hospital.name;

export const studyWords = (study: { modalities: string[]; study_description: string }) =>
  `${study.modalities.join('/')} ${study.study_description}`;

function StateCell({ row }: { row: Consultation }) {
  return (
    <>
      <StateBadge state={row.state} /> <UrgentBadge urgency={row.urgency} />
    </>
  );
}

function WantedCell({ row }: { row: Consultation }) {
  return (
    <>
      <span class="nowrap">{row.requested_specialty}</span> <span class="nowrap">{row.requested_title}</span>
    </>
  );
}

function PatientCell({ row: { patient } }: { row: Consultation }) {
  return (
    <>
      <strong class="name">{patient.name || t('patient.unnamed')}</strong>{' '}
      <span class="quiet-label">
        {sex(patient.sex)} {age(patient.age, patient.birth_date)}
      </span>
    </>
  );
}

function ScheduledCell({ row, now }: { row: Consultation; now: Date }) {
  const overdue = isOverdue(row, now);
  return (
    <span class={overdue ? 'overdue' : ''}>
      {dateTime(row.scheduled_at)} {overdue && t('consultation.overdue')}
    </span>
  );
}
