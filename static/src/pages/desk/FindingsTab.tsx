import { useLocation } from 'preact-iso';

import type { List, OpenFinding } from '../../api/types';
import { useHeldRows } from '../../components/heldRows';
import type { Resource } from '../../components/resource';
import { Empty, Fetched } from '../../components/States';
import { type Column, Table } from '../../components/Table';
import { percent } from '../../format';
import { t } from '../../i18n';
import { measurementWords } from '../study/findingWords';

export function FindingsTab({ resource }: { resource: Resource<List<OpenFinding>> }) {
  return <Fetched resource={resource}>{({ items }) => <OpenFindings items={items} />}</Fetched>;
}

const keyOf = (row: OpenFinding) => row.finding_id;

const columns = (): Column<OpenFinding>[] => [
  { name: 'finding', title: t('column.finding'), cell: (row) => <strong class="name">{row.label}</strong> },
  { name: 'probability', title: t('column.probability'), cell: (row) => percent(row.probability) || '—' },
  { name: 'measured', title: t('column.measured'), cell: (row) => measurementWords(row), wideOnly: true },
  { name: 'patient', title: t('column.patient'), cell: (row) => row.patient_name || t('patient.unnamed') },
  { name: 'owner', title: t('patient.hospital'), cell: (row) => row.owner_name },
  { name: 'model', title: t('column.model'), cell: (row) => `${row.model_name} ${row.model_version}`, wideOnly: true },
];

function OpenFindings({ items }: { items: OpenFinding[] }) {
  const { route } = useLocation();
  const { rows, fresh, gone, showFresh } = useHeldRows('findings', items, items, keyOf);
  if (rows.length === 0) {
    return (
      <Empty title={t('desk.empty.findings')}>
        <p>{t('desk.empty.findings_words')}</p>
      </Empty>
    );
  }
  return (
    <Table
      name="finding"
      label={t('desk.findings')}
      columns={columns()}
      rows={rows}
      keyOf={keyOf}
      onOpen={(row) => route(`/studies/${row.study_id}?finding=${row.finding_id}`)}
      tone={(row) => (gone.has(row.finding_id) ? 'row-gone' : '')}
      fresh={fresh}
      onShowFresh={showFresh}
    />
  );
}
