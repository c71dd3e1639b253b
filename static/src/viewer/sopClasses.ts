/** Names for the objects that are no pictures and live beside them (PS3.4 B.5). */
import { t } from '../i18n';

const PREFIXES: [string, string][] = [
  ['1.2.840.10008.5.1.4.1.1.77.1.1.1', 'video'],
  ['1.2.840.10008.5.1.4.1.1.77.1.2.1', 'video'],
  ['1.2.840.10008.5.1.4.1.1.77.1.4.1', 'video'],
  ['1.2.840.10008.5.1.4.1.1.88', 'report'],
  ['1.2.840.10008.5.1.4.1.1.104.1', 'pdf'],
  ['1.2.840.10008.5.1.4.1.1.104', 'document'],
  ['1.2.840.10008.5.1.4.1.1.9', 'waveform'],
  ['1.2.840.10008.5.1.4.1.1.11', 'presentation'],
  ['1.2.840.10008.5.1.4.1.1.481', 'radiotherapy'],
];

export function kindOf(sopClassUid: string): string {
  return PREFIXES.find(([prefix]) => sopClassUid === prefix || sopClassUid.startsWith(`${prefix}.`))?.[1] ?? 'other';
}

export function objectWords(sopClassUid: string): string {
  return t(`viewer.object.${kindOf(sopClassUid)}`);
}
