import { useState } from 'preact/hooks';

import { compareApart, decideApart, listWaiting, type Waiting } from '../../api/archive';
import { AskOnce } from '../../components/AskOnce';
import { Dialog } from '../../components/Dialog';
import { useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { bytes, dateTime } from '../../format';
import { known, t } from '../../i18n';

type Decision = 'release' | 'reject';

interface WaitingCardProps {
  code: string;
  onDecided: () => void;
}

/** What contradicts something stored, with both sides, until a person decides. */
export function WaitingCard({ code, onDecided }: WaitingCardProps) {
  const waiting = useResource(`waiting ${code}`, () => listWaiting(code));
  const [asked, ask] = useState<{ row: Waiting; decision: Decision } | null>(null);
  const [compared, compare] = useState<Waiting | null>(null);
  const decided = () => {
    waiting.reload();
    onDecided();
  };
  return (
    <section class="card archive-card">
      <h2>{t('archive.waiting')}</h2>
      <Fetched resource={waiting}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="quiet-label">{t('archive.nothing_waiting')}</p>
          ) : (
            <table class="table table-still">
              <tbody>
                {items.map((row) => (
                  <tr key={row.id} class="row" data-testid={`apart-row-${row.id}`}>
                    <td>
                      <strong>{t(`archive.why.${row.why}`)}</strong>
                      <Differences row={row} />
                    </td>
                    <td class="wide-only">
                      <code class="uid">{row.sop_instance_uid}</code>
                    </td>
                    <td class="nowrap">
                      {bytes(row.size_bytes)} · {dateTime(row.received_at)}
                    </td>
                    <td class="cell-end nowrap">
                      {row.why === 'other_bytes' && (
                        <button type="button" class="button" onClick={() => compare(row)} data-testid={`compare-${row.id}`}>
                          {t('archive.compare')}
                        </button>
                      )}{' '}
                      <button
                        type="button"
                        class="button"
                        onClick={() => ask({ row, decision: 'reject' })}
                        data-testid={`reject-${row.id}`}
                      >
                        {t('archive.reject')}
                      </button>{' '}
                      <button
                        type="button"
                        class="button primary"
                        onClick={() => ask({ row, decision: 'release' })}
                        data-testid={`release-${row.id}`}
                      >
                        {t(row.why === 'other_bytes' ? 'archive.choose' : 'archive.release')}
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Fetched>
      {asked && (
        <AskOnce
          question={{
            name: 'decide',
            title: t(`archive.${asked.decision}_title`),
            words: t(`archive.${asked.decision}_words.${asked.row.why}`),
            confirm: t(`archive.${asked.decision}`),
            grave: asked.decision === 'reject',
            act: () => decideApart(code, [asked.row.id], asked.decision).then(decided),
          }}
          onClose={() => ask(null)}
        />
      )}
      {compared && <Compared code={code} row={compared} onClose={() => compare(null)} />}
    </section>
  );
}

const attribute = (name: string) => (known(`archive.attribute.${name}`) ? t(`archive.attribute.${name}`) : name);

function Differences({ row }: { row: Waiting }) {
  return (
    <dl class="differences">
      {row.differences.map(([name, stored, arrived]) => (
        <div key={name}>
          <dt>{attribute(name)}</dt>
          <dd>
            {stored} <span class="quiet-label">≠</span> <strong>{arrived}</strong>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Compared({ code, row, onClose }: { code: string; row: Waiting; onClose: () => void }) {
  const comparison = useResource(row.id, () => compareApart(code, row.id));
  return (
    <Dialog title={t('archive.compare')} onClose={onClose}>
      <Fetched resource={comparison}>
        {({ items, count }) =>
          count === 0 ? (
            <p>{t('archive.only_pixels')}</p>
          ) : (
            <table class="table table-still">
              <thead>
                <tr>
                  {['tag', 'served', 'set_aside'].map((name) => (
                    <th key={name} scope="col">
                      {t(`archive.${name}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {items.map((one) => (
                  <tr key={one.tag} class="row">
                    <td>
                      <code>{one.tag}</code>
                    </td>
                    <td>{one.served}</td>
                    <td>{one.set_aside}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Fetched>
    </Dialog>
  );
}
