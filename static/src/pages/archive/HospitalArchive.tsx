import { useState } from 'preact/hooks';

import { listUsage } from '../../api/archive';
import { useResource } from '../../components/resource';
import { Empty, Fetched } from '../../components/States';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { me } from '../../state/session';
import { QuotaDialog } from './ArchiveSection';
import { DeletedCard } from './DeletedCard';
import { RetentionCard } from './RetentionCard';
import { UsageBar } from './UsageBar';
import { WaitingCard } from './WaitingCard';
import './archive.css';

/** One hospital's holdings: an administrator sees all of it, its doctors what waits for their decision. */
export function HospitalArchive({ code }: { code: string }) {
  const usage = useResource(`usage ${code}`, listUsage);
  const [setting, set] = useState(false);
  const isAdministrator = me().role === 'administrator';
  return (
    <Fetched resource={usage}>
      {({ items }) => {
        const own = items.find((row) => row.code === code);
        if (!own) return <Empty title={t('errors.archive.not_found')} />;
        return (
          <>
            <header class="page-head">
              <h1>
                {own.name} <UsageBar usage={own} />
              </h1>
              {isAdministrator && (
                <div class="actions">
                  <a class="button" href="/admin/archive">
                    {t('archive.back')}
                  </a>
                  <button type="button" class="button primary" onClick={() => set(true)} data-testid="quota-set">
                    {t('archive.set_quota')}
                  </button>
                </div>
              )}
            </header>
            {own.level !== 'free' && <p class="notice">{t(`archive.level_words.${own.level}`)}</p>}
            <WaitingCard code={code} onDecided={usage.reload} />
            {isAdministrator && <DeletedCard code={code} onRestored={usage.reload} />}
            {isAdministrator && <RetentionCard code={code} />}
            {setting && <QuotaDialog usage={own} onSaved={usage.reload} onClose={() => set(false)} />}
          </>
        );
      }}
    </Fetched>
  );
}

/** The doctors' way to it. */
export function ArchivePage() {
  useTitle(t('archive.title'));
  const code = me().hospital?.code;
  return <div class="page">{code ? <HospitalArchive code={code} /> : <Empty title={t('errors.forbidden')} />}</div>;
}
