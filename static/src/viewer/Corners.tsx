/** The words in the corners of the image: who, what, which slice, how it is windowed, how large it is drawn. */
import type { Study } from '../api/types';
import { age, date, sex } from '../format';
import { t } from '../i18n';
import { scaleOf } from './geometry';
import { scaleBar } from './overlay';
import type { Viewer } from './viewer';

export function Corners({ viewer, study }: { viewer: Viewer; study: Study }) {
  return (
    <>
      <Who study={study} />
      <What viewer={viewer} study={study} />
      <Where viewer={viewer} />
      <How viewer={viewer} />
      <Scale viewer={viewer} />
    </>
  );
}

function Who({ study }: { study: Study }) {
  return (
    <div class="corner corner-tl">
      <b>{study.patient_name || t('patient.unnamed')}</b>
      <span>
        {sex(study.patient_sex)} {age(study.patient_age, study.patient_birth_date)}
      </span>
      <span>{study.patient_id}</span>
    </div>
  );
}

function What({ viewer, study }: { viewer: Viewer; study: Study }) {
  const series = viewer.series.value.find((one) => one.series_instance_uid === viewer.current.value);
  return (
    <div class="corner corner-tr">
      <span>{study.owner_name}</span>
      <span>
        {date(study.study_date)} {series?.modality}
      </span>
      <span>{series?.series_description}</span>
    </div>
  );
}

function Where({ viewer }: { viewer: Viewer }) {
  const count = viewer.frames.value.length;
  if (count === 0) return null;
  return (
    <div class="corner corner-bl" data-testid="viewer-position">
      {viewer.index.value + 1} / {count}
    </div>
  );
}

function How({ viewer }: { viewer: Viewer }) {
  if (!viewer.plane.value) return null;
  const { window_center, window_width, zoom } = viewer.presentation.value;
  return (
    <div class="corner corner-br">
      <span data-testid="viewer-window">
        {t('viewer.window')} {Math.round(window_width)} / {Math.round(window_center)}
      </span>
      <span data-testid="viewer-zoom">
        {t('viewer.zoom')} {Math.round(zoom * 100)}%
      </span>
    </div>
  );
}

function Scale({ viewer }: { viewer: Viewer }) {
  const plane = viewer.plane.value;
  const canvas = viewer.canvas.value;
  if (!plane?.calibrated || !canvas[0]) return null;
  const bar = scaleBar(scaleOf(viewer.presentation.value, plane, canvas));
  if (!bar) return null;
  const words = bar.mm >= 10 ? `${bar.mm / 10} cm` : `${bar.mm} mm`;
  return (
    <svg class="scale-bar" width={bar.pixels + 2} height={22} aria-label={words}>
      <path d={`M1 12v6h${bar.pixels.toFixed(1)}v-6`} />
      <text x={bar.pixels / 2} y={11} text-anchor="middle">
        {words}
      </text>
    </svg>
  );
}
