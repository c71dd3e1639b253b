/** The image itself: canvas, overlay, corners, and words when there is nothing to draw. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

import type { Finding, Study } from '../api/types';
import { t } from '../i18n';
import { Corners } from './Corners';
import { Interaction } from './interaction';
import { ObjectCard } from './ObjectCard';
import { OverlayLayer, type PointerSource } from './OverlayLayer';
import { PreviewRest } from './Preview';
import { Stage } from './stage';
import type { Viewer } from './viewer';
import type { Status } from './viewerModel';

const SLOW_MS = 1000;

export type PaneProps = {
  viewer: Viewer;
  study: Study;
  findings: Finding[];
  focus: string | null;
  color: string;
  pointing: PointerSource | null;
  mayRemove: (id: string) => boolean;
  children?: ComponentChildren;
};

export function ViewerPane(props: PaneProps) {
  const { viewer, study, color } = props;
  const canvas = useRef<HTMLDivElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const [broken, setBroken] = useState(false);
  const latestColor = useRef(color);
  latestColor.current = color;
  useEffect(() => openStage(viewer, canvas.current!, () => setBroken(true)), [viewer]);
  useEffect(() => new Interaction(viewer, surface.current!, () => latestColor.current).listen(), [viewer]);
  return (
    <div class={`viewer-pane tool-${viewer.tool.value}`} ref={surface} data-testid="viewport" {...testAttributes(viewer)}>
      <div class="viewer-canvas" ref={canvas} />
      {viewer.drawnFrame.value === null && viewer.status.value !== 'not_an_image' && viewer.loaded.value === 0 && <PreviewRest study_id={study.study_id} />}
      <OverlayLayer {...props} />
      <Corners viewer={viewer} study={study} />
      {viewer.rough.value && <Rough />}
      <Message viewer={viewer} status={broken ? 'failed' : viewer.status.value} broken={broken} />
      {props.children}
    </div>
  );
}

/** Opens the stage in `element` and keeps it the element's size; returns its undo. */
function openStage(viewer: Viewer, element: HTMLDivElement, failed: () => void): () => void {
  let closed = false;
  let unfollow: (() => void) | undefined;
  const sizes = new ResizeObserver(() => viewer.resized([element.clientWidth, element.clientHeight]));
  void Stage.open(element)
    .then((stage) => {
      if (closed) return stage.close();
      viewer.attach(stage);
      unfollow = viewer.follow();
      sizes.observe(element);
    })
    .catch(failed);
  return () => {
    closed = true;
    sizes.disconnect();
    unfollow?.();
    viewer.close();
  };
}

/** What browser tests wait for and compare. */
function testAttributes(viewer: Viewer): Record<string, string> {
  const frame = viewer.frame.value;
  const { window_center, window_width, zoom, pan } = viewer.presentation.value;
  return {
    'data-series': viewer.current.value ?? '',
    'data-sop': frame?.sop_instance_uid ?? '',
    'data-frame': String(frame?.frame ?? ''),
    'data-index': String(viewer.index.value),
    'data-count': String(viewer.frames.value.length),
    'data-window': `${round(window_center)}/${round(window_width)}`,
    'data-zoom': String(round(zoom)),
    'data-pan': `${round(pan[0])},${round(pan[1])}`,
    'data-status': viewer.status.value,
    'data-drawn': String(frame !== null && viewer.drawnFrame.value === frame),
    'data-rough': String(viewer.rough.value),
    'data-rendered': String(frame !== null && viewer.rendered.value === frame),
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function Message({ viewer, status, broken }: { viewer: Viewer; status: Status; broken: boolean }) {
  if (status === 'shown') return null;
  if (status === 'loading' || status === 'empty') return <Slow viewer={viewer} key={viewer.index.value} />;
  const object = viewer.frame.value;
  if (!broken && status === 'not_an_image' && object) return <ObjectCard frame={object} />;
  const words = broken ? t('viewer.failed.webgl') : statusWords(status);
  return (
    <div class="viewer-message viewer-message-cover" role="status" data-testid="viewer-message">
      {words}
    </div>
  );
}

function statusWords(status: Status): string {
  return status === 'series_failed' ? t('viewer.failed.series') : t('viewer.failed.frame');
}

/** A rough image must not pass for the exact one. */
function Rough() {
  return (
    <div class="viewer-message viewer-rough" role="status" data-testid="viewer-rough">
      {t('viewer.rough')}
    </div>
  );
}

/** Progress is shown only when there is something to wait for. */
function Slow({ viewer }: { viewer: Viewer }) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!slow) return null;
  return (
    <div class="viewer-message" role="status" data-testid="viewer-loading">
      {t('viewer.loading')} {viewer.frames.value.length > 0 && `${viewer.loaded.value} / ${viewer.frames.value.length}`}
    </div>
  );
}
