import { useLocation } from 'preact-iso';

import { getChecks, listUsage, setQuota, startCheck, type Usage } from '../../api/archive';
import { FormDialog, type Values } from '../../components/FormDialog';
import { useAct, useResource } from '../../components/resource';
import { Empty, Fetched, Refusal } from '../../components/States';
import { type Column, Table } from '../../components/Table';
import { bytes, dateTime } from '../../format';
import { t } from '../../i18n';
import { UsageBar } from './UsageBar';
import './archive.css';

const GB = 1e9;

const columns = (): Column<Usage>[] => [
  { name: 'name', title: t('patient.hospital'), cell: (row) => <strong class="name">{row.name}</strong> },
  { name: 'usage', title: t('archive.usage'), cell: (row) => <UsageBar usage={row} /> },
  { name: 'instances', title: t('archive.instances'), cell: (row) => row.instance_count.toLocaleString() },
  { name: 'level', title: t('archive.quota'), cell: (row) => <Level level={row.level} /> },
  { name: 'waiting', title: t('archive.waiting'), cell: (row) => <Count value={row.waiting_count} /> },
  {
    name: 'leaving',
    title: t('archive.deleted'),
    cell: (row) => (row.leaving_count ? `${row.leaving_count} · ${bytes(row.leaving_bytes)}` : ''),
    wideOnly: true,
  },
  { name: 'open', title: '', cell: () => <span class="quiet-label">{t('archive.open')} ›</span> },
];

/** Every hospital's usage, and whether the stored bytes are whole. */
export function ArchiveSection() {
  const { route } = useLocation();
  const usage = useResource('usage', listUsage);
  return (
    <>
      <Fetched resource={usage}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('admin.no_hospitals')} />
          ) : (
            <Table
              name="archive"
              label={t('admin.archive')}
              columns={columns()}
              rows={items}
              keyOf={(row) => row.code}
              onOpen={(row) => route(`/admin/archive/${row.code}`)}
            />
          )
        }
      </Fetched>
      <Checks />
    </>
  );
}

const Level = ({ level }: { level: Usage['level'] }) =>
  level === 'free' ? null : <span class={`badge badge-quota-${level}`}>{t(`archive.level.${level}`)}</span>;

const Count = ({ value }: { value: number }) => (value ? <strong class="count-waiting">{value}</strong> : <span />);

function Checks() {
  const checks = useResource('checks', getChecks);
  const { busy, error, run } = useAct();
  return (
    <section class="card archive-card">
      <header class="page-head">
        <h2>{t('archive.checks')}</h2>
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => void run(() => startCheck(null).then(checks.reload))}
          data-testid="archive-check"
        >
          {t('archive.check_now')}
        </button>
      </header>
      <Refusal error={error} />
      <Fetched resource={checks}>
        {({ runs, damaged }) => (
          <>
            {damaged.length === 0 ? (
              <p class="quiet-label">{t('archive.all_whole')}</p>
            ) : (
              <ul class="damage-list">
                {damaged.map((one) => (
                  <li key={one.instance_key} class="row-urgent">
                    {t(`archive.found.${one.found}`)} · {one.owner} · <code>{one.sop_instance_uid}</code> ·{' '}
                    {dateTime(one.found_at)}
                  </li>
                ))}
              </ul>
            )}
            <table class="table table-still">
              <thead>
                <tr>
                  {['started_at', 'scope', 'checked', 'size', 'damaged', 'finished_at'].map((name) => (
                    <th key={name} scope="col">
                      {t(`archive.run.${name}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {runs.slice(0, 5).map((one) => (
                  <tr key={one.id} class="row">
                    <td class="nowrap">{dateTime(one.started_at)}</td>
                    <td>{one.owner ?? t('archive.everything')}</td>
                    <td>{one.checked_instances.toLocaleString()}</td>
                    <td>{bytes(one.checked_bytes)}</td>
                    <td>{one.damaged_instances}</td>
                    <td class="nowrap">{dateTime(one.finished_at) || t('archive.under_way')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </>
        )}
      </Fetched>
    </section>
  );
}

const amount = (text: string | undefined, unit = 1) => (text?.trim() ? Math.round(Number(text) * unit) : null);
const notANumber = (text: string) => (text && !(Number(text) >= 0) ? t('archive.number') : undefined);
const written = (value: number | null, unit = 1) => (value === null ? '' : String(value / unit));

interface QuotaDialogProps {
  usage: Usage;
  onSaved: () => void;
  onClose: () => void;
}

export function QuotaDialog({ usage: { code, quota }, onSaved, onClose }: QuotaDialogProps) {
  const save = (values: Values) =>
    setQuota(code, {
      soft_bytes: amount(values.soft_bytes, GB),
      hard_bytes: amount(values.hard_bytes, GB),
      soft_instances: amount(values.soft_instances),
      hard_instances: amount(values.hard_instances),
    }).then(onSaved);
  return (
    <FormDialog
      name="quota"
      title={t('archive.set_quota')}
      submit={t('archive.save')}
      initial={{
        soft_bytes: written(quota.soft_bytes, GB),
        hard_bytes: written(quota.hard_bytes, GB),
        soft_instances: written(quota.soft_instances),
        hard_instances: written(quota.hard_instances),
      }}
      fields={() =>
        ['soft_bytes', 'hard_bytes', 'soft_instances', 'hard_instances'].map((name) => ({
          name,
          label: t(`archive.${name}`),
          optional: true,
          check: notANumber,
        }))
      }
      act={save}
      onClose={onClose}
    />
  );
}
