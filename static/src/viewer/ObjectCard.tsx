/** What is no picture: a report to read, a document to open, a video to play, or what it is. */
import { t } from '../i18n';
import type { Frame } from './frames';
import { urlOf } from './frameStream';
import { reportLines } from './report';
import { kindOf, objectWords } from './sopClasses';

export function ObjectCard({ frame }: { frame: Frame }) {
  const kind = kindOf(frame.sop_class_uid);
  const lines = kind === 'report' ? reportLines(frame.instance) : [];
  return (
    <div class="viewer-message viewer-message-cover viewer-object" data-testid="viewer-message">
      {kind === 'video' ? <Video frame={frame} /> : lines.length > 0 ? <Report frame={frame} /> : <Card frame={frame} />}
    </div>
  );
}

function Card({ frame }: { frame: Frame }) {
  const openable = kindOf(frame.sop_class_uid) === 'pdf';
  return (
    <div class="object-card" role="status">
      <p>{t('viewer.not_an_image', { kind: objectWords(frame.sop_class_uid) })}</p>
      {openable && (
        <a class="button primary" href={rendered(frame)} target="_blank" rel="noopener" data-testid="object-open">
          {t('viewer.object.open')}
        </a>
      )}
    </div>
  );
}

function Report({ frame }: { frame: Frame }) {
  return (
    <dl class="object-report" data-testid="object-report">
      {reportLines(frame.instance).map(({ depth, name, value }, index) => (
        <div key={index} class={`report-depth-${Math.min(depth, 4)}`}>
          <dt>{name}</dt>
          {value && <dd>{value}</dd>}
        </div>
      ))}
    </dl>
  );
}

function Video({ frame }: { frame: Frame }) {
  return <video class="object-video" src={rendered(frame)} controls data-testid="object-video" />;
}

/** The object in a form for people, whole (PS3.18 section 8.3.5). */
function rendered(frame: Frame): string {
  return urlOf(frame).replace(/\/frames\/\d+$/, '/rendered');
}
