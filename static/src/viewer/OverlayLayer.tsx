/** Marks, findings and pointers over the image: SVG in canvas pixels, made from image coordinates at every change of view. */
import type { Finding } from '../api/types';
import { percent } from '../format';
import { t } from '../i18n';
import type { PointerBody } from '../shared/protocol';
import { arrowHead, findingLine, markLine, markLines, onFrame, svgPath, visiblePointers, type Line } from './overlay';
import { apply } from './geometry';
import type { Viewer } from './viewer';

export type PointerSource = { pointers: Record<string, PointerBody>; nameOf: (id: string) => string; colorOf: (id: string) => string };

type LayerProps = {
  viewer: Viewer;
  findings: Finding[];
  focus: string | null;
  pointing: PointerSource | null;
  mayRemove: (id: string) => boolean;
};

export function OverlayLayer(props: LayerProps) {
  const { viewer } = props;
  const [width, height] = viewer.canvas.value;
  if (viewer.status.value !== 'shown' || !viewer.matrix.value || !width) return null;
  return (
    <svg class="viewer-overlay" viewBox={`0 0 ${width} ${height}`} data-testid="overlay">
      {viewer.showFindings.value && <Findings {...props} />}
      <Marks {...props} />
      {props.pointing && <Pointers viewer={viewer} source={props.pointing} />}
    </svg>
  );
}

function Findings({ viewer, findings, focus }: LayerProps) {
  const matrix = viewer.matrix.value!;
  const here = findings.filter((finding) => onFrame(finding, viewer.frame.value) && finding.assessment?.decision !== 'rejected');
  return (
    <>
      {here.map((finding) => (
        <FindingShape key={finding.finding_id} finding={finding} line={findingLine(finding, matrix)} focused={finding.finding_id === focus} />
      ))}
    </>
  );
}

function FindingShape({ finding, line, focused }: { finding: Finding; line: Line; focused: boolean }) {
  const [x, y] = line.at;
  const words = ['AI', finding.label, percent(finding.probability)].filter(Boolean).join(' ');
  const settled = finding.assessment ? ' finding-accepted' : '';
  return (
    <g class={`finding-shape${focused ? ' finding-focused' : ''}${settled}`} data-testid={`finding-shape-${finding.finding_id}`}>
      <FindingOutline line={line} halo />
      <FindingOutline line={line} halo={false} />
      {line.points.length > 0 && (
        <text x={x} y={y + (line.points.length === 1 ? 30 : 16)} text-anchor="middle">
          {words}
        </text>
      )}
    </g>
  );
}

/** Drawn twice: the dark halo keeps the line visible on white bone. */
function FindingOutline({ line, halo }: { line: Line; halo: boolean }) {
  const look = halo ? 'finding-halo' : 'finding-line';
  const [x, y] = line.at;
  if (line.points.length === 1) return <circle class={look} cx={x} cy={y} r={14} />;
  return line.points.length > 1 ? <path class={look} d={svgPath(line.points)} /> : null;
}

function Marks({ viewer, mayRemove }: LayerProps) {
  const matrix = viewer.matrix.value!;
  const plane = viewer.plane.value!;
  const lines = markLines(viewer.marks.value, viewer.frame.value, matrix, plane);
  const draft = viewer.draft.value;
  return (
    <>
      {lines.map((line) => (
        <MarkShape key={line.id} line={line} viewer={viewer} removable={mayRemove(line.id)} />
      ))}
      {draft && <MarkShape line={markLine(draft, matrix, plane)} viewer={viewer} removable={false} />}
    </>
  );
}

function MarkShape({ line, viewer, removable }: { line: Line; viewer: Viewer; removable: boolean }) {
  const selected = viewer.selected.value === line.id;
  const [x, y] = line.at;
  return (
    <g class={`mark${selected ? ' mark-selected' : ''}`} stroke={line.color} fill={line.color} data-testid={`mark-${line.id}`} data-kind={line.kind}>
      <path class="mark-halo" d={markPath(line)} />
      <path class="mark-line" d={markPath(line)} />
      <text x={x} y={y + 16} text-anchor="middle">
        {[line.label, line.author].filter(Boolean).join(' · ')}
      </text>
      {selected && removable && <RemoveButton at={[x, y + 34]} act={() => viewer.onMarkRemoved(line.id)} id={line.id} />}
    </g>
  );
}

function markPath(line: Line): string {
  const [tail, tip] = line.points;
  if (line.kind !== 'arrow' || !tail || !tip) return svgPath(line.points);
  return svgPath([tail, tip]) + svgPath(arrowHead(tail, tip));
}

function RemoveButton({ at: [x, y], act, id }: { at: [number, number]; act: () => void; id: string }) {
  const press = (event: Event) => {
    event.stopPropagation();
    act();
  };
  return (
    <g class="mark-remove" role="button" aria-label={t('viewer.mark.remove')} onPointerDown={press} data-testid={`mark-remove-${id}`}>
      <rect x={x - 30} y={y - 12} width={60} height={24} rx={4} />
      <text x={x} y={y + 4.5} text-anchor="middle">
        {t('viewer.mark.remove')}
      </text>
    </g>
  );
}

function Pointers({ viewer, source }: { viewer: Viewer; source: PointerSource }) {
  return (
    <>
      {visiblePointers(source.pointers, viewer.frame.value).map(([id, body]) => {
        const [x, y] = apply(viewer.matrix.value!, [body.x, body.y]);
        const color = source.colorOf(id);
        return (
          <g key={id} class="pointer" stroke={color} fill={color} transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`} data-testid={`pointer-${id}`}>
            <path d="M0 -14V-4M0 4V14M-14 0H-4M4 0H14" />
            <circle r={9} />
            <text x={14} y={-10}>
              {source.nameOf(id)}
            </text>
          </g>
        );
      })}
    </>
  );
}
