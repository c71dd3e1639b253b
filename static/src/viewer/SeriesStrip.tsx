/** The series of the study as thumbnails; the one in hand is marked, series with findings carry the AI badge. */
import { useState } from 'preact/hooks';

import type { Finding, SeriesRow } from '../api/types';
import { t } from '../i18n';
import type { Viewer } from './viewer';

export function SeriesStrip({ viewer, findings }: { viewer: Viewer; findings: Finding[] }) {
  return (
    <nav class="series-strip" aria-label={t('viewer.series')}>
      {viewer.series.value.map((series) => (
        <SeriesButton key={series.series_instance_uid} viewer={viewer} series={series} findings={openIn(findings, series)} />
      ))}
    </nav>
  );
}

function openIn(findings: Finding[], { series_instance_uid }: SeriesRow): number {
  return findings.filter((one) => one.series_instance_uid === series_instance_uid && one.assessment?.decision !== 'rejected').length;
}

function SeriesButton({ viewer, series, findings }: { viewer: Viewer; series: SeriesRow; findings: number }) {
  const uid = series.series_instance_uid;
  const chosen = viewer.current.value === uid;
  return (
    <button
      type="button"
      class="series"
      aria-pressed={chosen}
      onClick={() => void viewer.userSeries(uid)}
      data-testid={`series-${uid}`}
    >
      <Thumbnail source={viewer.thumbnail(uid)} modality={series.modality} />
      <span class="series-words">{series.series_description || t('viewer.series_number', { value: series.series_number ?? '?' })}</span>
      <span class="series-count">
        {series.modality} · {series.instance_count}
      </span>
      {findings > 0 && <span class="ai-badge">AI {findings}</span>}
      {chosen && <progress class="series-progress" max={viewer.frames.value.length || 1} value={viewer.loaded.value} aria-hidden="true" />}
    </button>
  );
}

function Thumbnail({ source, modality }: { source: string; modality: string }) {
  const [failed, setFailed] = useState(false);
  if (failed) return <span class="series-image series-letters">{modality || '?'}</span>;
  return <img class="series-image" src={source} alt="" loading="lazy" draggable={false} onError={() => setFailed(true)} />;
}
