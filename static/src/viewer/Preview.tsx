/**
 * The opening picture drawn by the server, while the viewer that draws it exactly is still on its way. It lies where the
 * viewer's own picture will be, in the same size, and is marked as coarse.
 */
import { signal } from '@preact/signals';

import { t } from '../i18n';
import { firstFrame } from './early';
import { urlOf } from './frameStream';

/** Enough for any window; larger frames come smaller. */
const PIXELS = 1024;

/** the study whose preview was on the screen */
const shown = signal<string | null>(null);

/** In place of the viewer. */
export function Preview({ study_id }: { study_id: string }) {
  const picture = <Picture study_id={study_id} />;
  return <div class="viewer-preview">{picture}</div>;
}

/** In the viewer, until its own picture is drawn: only what was there before. */
export function PreviewRest({ study_id }: { study_id: string }) {
  return shown.value === study_id ? <Picture study_id={study_id} /> : null;
}

function Picture({ study_id }: { study_id: string }) {
  const frame = firstFrame(study_id);
  if (!frame) return null;
  const source = `${urlOf(frame)}/rendered?viewport=${PIXELS},${PIXELS}`;
  return (
    <>
      <img class="preview-picture" src={source} alt="" onLoad={() => (shown.value = study_id)} data-testid="viewer-preview" />
      {shown.value === study_id && (
        <span class="preview-words" role="status">
          {t('viewer.rough')}
        </span>
      )}
    </>
  );
}
