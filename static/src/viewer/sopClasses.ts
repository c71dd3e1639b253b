/** Names for the objects without pixels that live beside images (PS3.4 B.5). */
import { t } from '../i18n';

const PREFIXES: [string, string][] = [
  ['1.2.840.10008.5.1.4.1.1.88', 'report'],
  ['1.2.840.10008.5.1.4.1.1.104.1', 'pdf'],
  ['1.2.840.10008.5.1.4.1.1.104', 'document'],
  ['1.2.840.10008.5.1.4.1.1.9', 'waveform'],
  ['1.2.840.10008.5.1.4.1.1.11', 'presentation'],
  ['1.2.840.10008.5.1.4.1.1.481', 'radiotherapy'],
];

export function objectWords(sopClassUid: string): string {
  const found = PREFIXES.find(([prefix]) => sopClassUid === prefix || sopClassUid.startsWith(`${prefix}.`));
  return t(`viewer.object.${found?.[1] ?? 'other'}`);
}
