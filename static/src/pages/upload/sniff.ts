/** Whether a file is worth sending, from its name and its first bytes; pure. */

export type Skip = 'directory_index' | 'system_file' | 'empty' | 'not_dicom';

/** Enough for the preamble, "DICM", or the first element of a file without them. */
export const HEAD_BYTES = 132;

const SYSTEM_NAMES = new Set(['thumbs.db', 'desktop.ini', 'autorun.inf']);

export function skipByName(path: string, size: number): Skip | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.toUpperCase() === 'DICOMDIR') return 'directory_index';
  if (name.startsWith('.') || SYSTEM_NAMES.has(name.toLowerCase())) return 'system_file';
  return size === 0 ? 'empty' : null;
}

/** PS3.10 7.1, and the files of old devices that begin with a data element of group 0002 or 0008. */
export function looksLikeDicom(head: Uint8Array): boolean {
  if (head.length >= 132 && String.fromCharCode(...head.subarray(128, 132)) === 'DICM') return true;
  if (head.length < 8) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const group = view.getUint16(0, true);
  return (group === 0x0002 || group === 0x0008) && view.getUint16(2, true) <= 0x0100;
}
