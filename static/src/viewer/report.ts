/** The content of a structured report as lines to read (PS3.3 C.17.3). Pure. */
import { items, number, text, type DicomJson } from './dicomJson';

/** name: the question, value: its answer; both may be empty. */
export type ReportLine = { depth: number; name: string; value: string };

const CONTENT = '0040A730';
const MOST_LINES = 500;
/** What a reader can do nothing with. */
const SILENT = new Set(['UIDREF', 'IMAGE', 'COMPOSITE', 'WAVEFORM', 'SCOORD', 'SCOORD3D', 'TCOORD']);

export function reportLines(instance: DicomJson): ReportLine[] {
  const title = meaning(instance, '0040A043');
  const lines = title ? [{ depth: 0, name: title, value: '' }] : [];
  return [...lines, ...items(instance, CONTENT).flatMap((item) => itemLines(item, 1))].slice(0, MOST_LINES);
}

function itemLines(item: DicomJson, depth: number): ReportLine[] {
  const type = text(item, '0040A040');
  const below = items(item, CONTENT).flatMap((child) => itemLines(child, depth + 1));
  if (SILENT.has(type)) return below;
  const line = { depth, name: meaning(item, '0040A043'), value: valueOf(item, type) };
  return line.name || line.value ? [line, ...below] : below;
}

function valueOf(item: DicomJson, type: string): string {
  if (type === 'NUM') return measured(items(item, '0040A300')[0]);
  if (type === 'CODE') return meaning(item, '0040A168');
  if (type === 'PNAME') return person(item);
  return text(item, '0040A160') || text(item, '0040A121') || text(item, '0040A122') || text(item, '0040A120');
}

function measured(value: DicomJson | undefined): string {
  const amount = value && number(value, '0040A30A');
  if (!value || typeof amount !== 'number') return '';
  const unit = items(value, '004008EA')[0];
  const shown = unit ? text(unit, '00080100') : '';
  return [String(amount), shown === '1' ? '' : shown].filter(Boolean).join(' ');
}

function meaning(item: DicomJson, tag: string): string {
  const code = items(item, tag)[0];
  return code ? text(code, '00080104') : '';
}

function person(item: DicomJson): string {
  const name = item['0040A123']?.Value?.[0] as { Ideographic?: string; Alphabetic?: string } | undefined;
  return (name?.Ideographic ?? name?.Alphabetic ?? '').replaceAll('^', ' ').trim();
}
