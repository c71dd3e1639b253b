import type { Usage } from '../../api/archive';
import { bytes } from '../../format';
import { t } from '../../i18n';

/** What is kept against the hard limit; without one only the figure. */
export function UsageBar({ usage }: { usage: Usage }) {
  const { hard_bytes: hard, soft_bytes: soft } = usage.quota;
  const limit = hard ?? soft;
  return (
    <div class={`usage usage-${usage.level}`}>
      {limit !== null && (
        <meter min={0} max={Math.max(limit, 1)} value={Math.min(usage.size_bytes, limit)} aria-label={t('archive.usage')} />
      )}
      <span class="nowrap">
        {bytes(usage.size_bytes)}
        {limit !== null && <span class="quiet-label"> / {bytes(limit)}</span>}
      </span>
    </div>
  );
}
