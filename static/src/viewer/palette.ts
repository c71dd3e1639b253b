/**
 * Colour lookup tables as numbers: the image loader wants them as values, the DICOM JSON model carries OW elements as
 * base64 or by address (PS3.18 F.2.2, F.2.6).
 */
import { text, type DicomElement, type DicomJson } from './dicomJson';

const LOOKUP_TABLES = ['00281201', '00281202', '00281203'];

/** The same instance with readable colour tables; other instances come back untouched. */
export async function withPalette(instance: DicomJson): Promise<DicomJson> {
  if (text(instance, '00280004') !== 'PALETTE COLOR') return instance;
  const read = await Promise.all(LOOKUP_TABLES.map(async (tag) => [tag, await readable(instance[tag])] as const));
  return { ...instance, ...Object.fromEntries(read) };
}

async function readable(element: DicomElement | undefined): Promise<DicomElement> {
  const bytes = element?.InlineBinary ? decodeBase64(element.InlineBinary) : await download(element?.BulkDataURI);
  return { vr: 'US', Value: bytes ? words(bytes) : (element?.Value ?? []) };
}

/** Little-endian 16-bit words, the only byte order on the wire (PS3.18 8.7.3.5). */
export function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / 2) }, (_, index) => view.getUint16(index * 2, true));
}

function decodeBase64(value: string): Uint8Array {
  return Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
}

async function download(url: string | undefined): Promise<Uint8Array | null> {
  if (!url) return null;
  const reply = await fetch(url, { credentials: 'same-origin', headers: { Accept: 'application/octet-stream' } });
  if (!reply.ok) return null;
  return onlyPart(new Uint8Array(await reply.arrayBuffer()), reply.headers.get('Content-Type') ?? '');
}

const HEADER_END = '\r\n\r\n';

/** The body of the single part when the server answered multipart/related, else everything. */
export function onlyPart(body: Uint8Array, contentType: string): Uint8Array {
  if (!contentType.startsWith('multipart/')) return body;
  // Latin-1 keeps one character per byte, so positions in the text are positions in the bytes.
  const characters = new TextDecoder('latin1').decode(body);
  const start = characters.indexOf(HEADER_END) + HEADER_END.length;
  const boundary = characters.slice(0, characters.indexOf('\r\n'));
  return body.slice(start, characters.indexOf(`\r\n${boundary}`, start));
}
