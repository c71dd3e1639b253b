import { useState } from 'preact/hooks';

import { type DeletedAct, listDeleted, restoreDeleted } from '../../api/archive';
import { AskOnce } from '../../components/AskOnce';
import { useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { bytes, dateTime } from '../../format';
import { t } from '../../i18n';

/** What can still be brought back, that which goes first at the top. */
export function DeletedCard({ code, onRestored }: { code: string; onRestored: () => void }) {
  const deleted = useResource(`deleted ${code}`, () => listDeleted(code));
  const [asked, ask] = useState<DeletedAct | null>(null);
  const restored = () => {
    deleted.reload();
    onRestored();
  };
  return (
    <section class="card archive-card">
      <h2>{t('archive.deleted')}</h2>
      <Fetched resource={deleted}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="quiet-label">{t('archive.nothing_deleted')}</p>
          ) : (
            <table class="table table-still">
              <tbody>
                {items.map((row) => (
                  <tr key={row.act} class="row" data-testid={`deleted-row-${row.act}`}>
                    <td>{t(`archive.reason.${row.reason}`)}</td>
                    <td class="wide-only">
                      <code class="uid">{row.study_instance_uid}</code>
                    </td>
                    <td class="nowrap">
                      {t('archive.of_instances', { count: row.instance_count })} · {bytes(row.size_bytes)}
                    </td>
                    <td class="nowrap">{t('archive.erase_at', { at: dateTime(row.erase_at) })}</td>
                    <td class="cell-end">
                      <button type="button" class="button" onClick={() => ask(row)} data-testid={`restore-${row.act}`}>
                        {t('archive.restore')}
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
            name: 'restore',
            title: t('archive.restore_title'),
            words: t('archive.restore_words', { count: asked.instance_count }),
            confirm: t('archive.restore'),
            act: () => restoreDeleted(code, asked.act).then(restored),
          }}
          onClose={() => ask(null)}
        />
      )}
    </section>
  );
}
