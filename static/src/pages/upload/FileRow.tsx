import { bytes } from '../../format';
import { errorText, known, t } from '../../i18n';
import type { Item } from './queue';

export function FileRow({ item }: { item: Item }) {
  return (
    <div class={`file-row file-${item.status}`} data-testid={`upload-file-${item.id}`} data-status={item.status}>
      <span class="file-path" title={item.path}>
        {item.path}
      </span>
      <span class="file-size">{bytes(item.file.size)}</span>
      {item.status === 'sending' ? (
        <progress max={item.file.size} value={item.sentBytes} aria-label={t('upload.status.sending')} />
      ) : (
        <span class="file-outcome" title={outcomeWords(item)}>
          {outcomeWords(item)}
        </span>
      )}
    </div>
  );
}

/** What became of the file, and where it helps, why. */
export function outcomeWords({ status, skip, words, error }: Item): string {
  if (status === 'skipped') return t(`upload.skip.${skip}`);
  if (status === 'failed') return t('upload.status.failed', { why: errorText(error) });
  const why = words.filter((word) => known(`upload.word.${word}`)).map((word) => t(`upload.word.${word}`));
  const what = t(`upload.status.${status}`);
  return why.length > 0 ? t('upload.outcome', { what, why: why.join(t('upload.and')) }) : what;
}
