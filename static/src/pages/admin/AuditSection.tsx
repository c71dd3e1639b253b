import { useState } from 'preact/hooks';

import { type AuditQuery, listAudit } from '../../api/endpoints';
import type { AuditRecord } from '../../api/types';
import { useAct, useResource } from '../../components/resource';
import { Empty, Fetched, Refusal } from '../../components/States';
import { dateTime } from '../../format';
import { t } from '../../i18n';
import { AuditFilters } from './AuditFilters';
import { actionWords, purposeWords } from './auditActions';

const PAGE_ROWS = 100;

export function AuditSection() {
  const [filter, setFilter] = useState<AuditQuery>({});
  const key = JSON.stringify(filter);
  const audit = useResource(key, () => listAudit({ ...filter, limit: PAGE_ROWS }));
  return (
    <>
      <AuditFilters filter={filter} onChange={setFilter} />
      <Fetched resource={audit}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('audit.nothing')} />
          ) : (
            <Records key={items[0]!.id + key} newest={items} filter={filter} />
          )
        }
      </Fetched>
    </>
  );
}

/** Newest first; older ones are fetched below on demand. */
function Records({ newest, filter }: { newest: AuditRecord[]; filter: AuditQuery }) {
  const [records, setRecords] = useState(newest);
  const [over, setOver] = useState(newest.length < PAGE_ROWS);
  const { busy, error, run } = useAct();
  const more = async () => {
    const { items } = await listAudit({ ...filter, limit: PAGE_ROWS, before: records.at(-1)!.id });
    setRecords([...records, ...items]);
    setOver(items.length < PAGE_ROWS);
  };
  return (
    <div class="table-frame">
      <table class="table table-still">
        <thead>
          <tr>
            {['at', 'actor', 'hospital', 'action', 'object', 'purpose', 'outcome', 'address'].map((name) => (
              <th key={name} scope="col">
                {t(`audit.${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <RecordRow key={record.id} record={record} />
          ))}
        </tbody>
      </table>
      <Refusal error={error} />
      {!over && (
        <button type="button" class="button more" disabled={busy} onClick={() => void run(more)}>
          {t('audit.older')}
        </button>
      )}
    </div>
  );
}

function RecordRow({ record }: { record: AuditRecord }) {
  return (
    <tr class={record.outcome === 'success' ? 'row' : 'row row-urgent'} data-testid={`audit-row-${record.id}`}>
      <td class="nowrap">{dateTime(record.at)}</td>
      <td>
        <Actor record={record} />
      </td>
      <td>{record.hospital}</td>
      <td class="nowrap">{actionWords(record.action)}</td>
      <td>
        <Subject record={record} />
      </td>
      <td class="nowrap">{purposeWords(record.purpose)}</td>
      <td class="nowrap">{t(`audit.outcomes.${record.outcome}`)}</td>
      <td>{record.address}</td>
    </tr>
  );
}

function Actor({ record: { actor_kind: kind, actor_name: name, actor_id: id } }: { record: AuditRecord }) {
  if (kind === 'user') return <strong class="nowrap">{name || id}</strong>;
  return (
    <span class="audit-actor">
      {t(`audit.kind.${kind}`)} <span class="quiet-label wide-only">{name || id}</span>
    </span>
  );
}

function Subject({ record: { consultation_id: consultation, study_id: study } }: { record: AuditRecord }) {
  if (!consultation && !study) return null;
  return (
    <>
      <span class="nowrap">{t(consultation ? 'consultation.title' : 'study.title')}</span> <code>{consultation ?? study}</code>
    </>
  );
}
