import { bytes } from '../../format';
import { t } from '../../i18n';
import type { Summary } from './summary';

interface ProgressProps {
  summary: Summary;
  onRetry: () => void;
}

/** The whole upload in one line and one bar. */
export function Progress({ summary, onRetry }: ProgressProps) {
  const { counts, failed, totalBytes, sentBytes } = summary;
  const over = counts.ahead === 0;
  const words = over ? (counts.trouble > 0 ? 'over_trouble' : 'over') : 'under_way';
  return (
    <section class="card upload-progress" data-testid="upload-progress">
      <div class="upload-figures">
        <strong role="status" data-testid="upload-state" data-state={words}>
          {t(`upload.${words}`, { trouble: counts.trouble })}
        </strong>
        <span data-testid="upload-figures">
          {t('upload.figures', {
            done: counts.done,
            all: counts.all - counts.skipped,
            sent: bytes(sentBytes),
            total: bytes(totalBytes),
          })}
        </span>
        <div class="actions">
          {failed > 0 && (
            <button type="button" class="button" onClick={onRetry} data-testid="upload-retry">
              {t('upload.retry')}
            </button>
          )}
          {over && (
            <a class="button primary" href="/desk/studies" data-testid="upload-to-studies">
              {t('upload.to_studies')}
            </a>
          )}
        </div>
      </div>
      <progress max={totalBytes || 1} value={sentBytes} aria-label={t('upload.overall')} />
    </section>
  );
}
