/** A study to read: series strip, image, toolbar. `ViewerFrame` is driven by a given model (the room); `StudyViewer` has its own. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

import type { Finding, Study } from '../api/types';
import { Dialog } from '../components/Dialog';
import { useKeys, useListedKeys, type Bindings } from '../components/keys';
import { t } from '../i18n';
import type { PointerSource } from './OverlayLayer';
import { SeriesStrip } from './SeriesStrip';
import { warmUp } from './stage';
import { Toolbar } from './Toolbar';
import { Viewer } from './viewer';
import { keyList, viewerBindings } from './viewerKeys';
import { ViewerPane } from './ViewerPane';
import './viewer.css';

// Graphics and decoders start while the study is still on its way.
void warmUp();

const OWN_COLOR = '#7fd1ff';

/** The model of a study's viewer; it lives as long as the study stays the same, whatever is uploaded to it meanwhile. */
export function useViewer(study: Study): Viewer {
  const viewer = useMemo(() => new Viewer(study, study.series), [study.study_id]);
  useEffect(() => viewer.updateSeries(study.series), [viewer, study.series]);
  return viewer;
}

type StudyViewerProps = { study: Study; findings: Finding[]; focus?: string | null };

export function StudyViewer({ study, findings, focus = null }: StudyViewerProps) {
  const viewer = useViewer(study);
  useEffect(() => {
    const finding = findings.find((one) => one.finding_id === focus);
    if (finding) void viewer.userJump(finding.series_instance_uid, finding.sop_instance_uid, finding.frame);
  }, [viewer, focus, findings.length]);
  return <ViewerFrame viewer={viewer} study={study} findings={findings} focus={focus} />;
}

export type FrameProps = {
  viewer: Viewer;
  study: Study;
  findings: Finding[];
  focus: string | null;
  color?: string;
  pointing?: PointerSource | null;
  mayMark?: boolean;
  mayRemove?: (id: string) => boolean;
  keys?: Bindings;
  /** `?` opens this viewer's list of keys; around the desk the page has its own. */
  ownHelp?: boolean;
  tools?: ComponentChildren;
  children?: ComponentChildren;
};

export function ViewerFrame(props: FrameProps) {
  const { viewer, study, findings, focus, color = OWN_COLOR, pointing = null, mayMark = true, mayRemove = () => true, ownHelp = false } = props;
  const [help, setHelp] = useState(false);
  const openHelp = () => setHelp(true);
  const helpKey: Bindings = ownHelp ? { '?': openHelp } : {};
  useListedKeys(keyList(ownHelp));
  useKeys({ ...viewerBindings(viewer, { mayMark, mayPoint: pointing !== null }), ...helpKey, ...props.keys });
  return (
    <div class="viewer reading" data-testid="viewer">
      <SeriesStrip viewer={viewer} findings={findings} />
      <ViewerPane viewer={viewer} study={study} findings={findings} focus={focus} color={color} pointing={pointing} mayRemove={mayRemove}>
        {props.children}
      </ViewerPane>
      <Toolbar viewer={viewer} mayMark={mayMark} mayPoint={pointing !== null} onHelp={openHelp}>
        {props.tools}
      </Toolbar>
      {help && <KeyHelp inRoom={ownHelp} onClose={() => setHelp(false)} />}
    </div>
  );
}

function KeyHelp({ inRoom, onClose }: { inRoom: boolean; onClose: () => void }) {
  return (
    <Dialog title={t('viewer.help')} onClose={onClose}>
      <dl class="key-list">
        {keyList(inRoom).map(([key, words]) => (
          <div key={words}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(words)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
