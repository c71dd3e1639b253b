import { useState } from 'preact/hooks';

import { getRetention, type Retention, setRetention } from '../../api/archive';
import { FormDialog } from '../../components/FormDialog';
import { useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { bytes, dateTime } from '../../format';
import { t } from '../../i18n';

/** The policy with its source, the legal holds, and what a run would delete now. */
export function RetentionCard({ code }: { code: string }) {
  const retention = useResource(`retention ${code}`, () => getRetention(code));
  const [changing, change] = useState(false);
  return (
    <section class="card archive-card">
      <header class="page-head">
        <h2>{t('archive.retention')}</h2>
        <button type="button" class="button" onClick={() => change(true)} data-testid="retention-change">
          {t('archive.change_policy')}
        </button>
      </header>
      <Fetched resource={retention}>
        {(found) => (
          <>
            <Policy found={found} />
            <Overdue found={found} />
            {changing && (
              <FormDialog
                name="retention"
                title={t('archive.change_policy')}
                submit={t('archive.save')}
                initial={{
                  rule: found.policy.rule,
                  years: String(found.policy.years),
                  automatic: String(found.policy.automatic),
                }}
                fields={() => [
                  {
                    name: 'rule',
                    label: t('archive.rule'),
                    options: found.rules.map(({ code: value, years }) => ({
                      value,
                      label: `${t(`archive.rules.${value}`)} ≥ ${t('archive.years', { count: years })}`,
                    })),
                  },
                  {
                    name: 'years',
                    label: t('archive.keep_years'),
                    check: (text) => (Number(text) >= 1 ? undefined : t('archive.number')),
                  },
                  {
                    name: 'automatic',
                    label: t('archive.automatic'),
                    options: ['false', 'true'].map((value) => ({ value, label: t(`archive.automatic_${value}`) })),
                  },
                ]}
                act={({ rule = '', years = '', automatic }) =>
                  setRetention(code, rule, Number(years), automatic === 'true').then(retention.replace)
                }
                onClose={() => change(false)}
              />
            )}
          </>
        )}
      </Fetched>
    </section>
  );
}

function Policy({ found: { policy, holds } }: { found: Retention }) {
  return (
    <>
      <p>
        {t(`archive.rules.${policy.rule}`)} · {t('archive.years', { count: policy.years })} ·{' '}
        {t(`archive.automatic_${policy.automatic}`)}
      </p>
      <p class="quiet-label">{t('archive.source', { source: policy.source, version: policy.book_version })}</p>
      {holds.length > 0 && (
        <ul>
          {holds.map((hold) => (
            <li key={hold.id}>
              {t('archive.hold')} · <code>{hold.study_instance_uid}</code> · {hold.note} · {dateTime(hold.placed_at)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Overdue({ found }: { found: Retention }) {
  if (found.study_count === 0) return <p class="quiet-label">{t('archive.nothing_overdue')}</p>;
  return (
    <>
      <p data-testid="retention-dry-run">
        {t('archive.would_go', { count: found.study_count, size: bytes(found.size_bytes) })}
      </p>
      <table class="table table-still">
        <tbody>
          {found.overdue.slice(0, 20).map((study) => (
            <tr key={study.study_instance_uid} class="row">
              <td class="nowrap">{study.study_date}</td>
              <td>
                <code class="uid">{study.study_instance_uid}</code>
              </td>
              <td class="nowrap">
                {t('archive.of_instances', { count: study.instance_count })} · {bytes(study.size_bytes)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
