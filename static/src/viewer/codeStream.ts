/**
 * Where the resolutions of an HTJ2K code stream end, from its main header alone (ISO/IEC 15444-1 A.5.1, A.6.1, A.7.1).
 * Only streams whose tile-parts are its resolutions, lowest first, tell that: those of transfer syntax HTJ2KLosslessRPCL.
 */

/** level: how often width and height are halved. bytes: how much of the stream it needs. */
export type Resolution = { level: number; bytes: number };

const START = 0xff4f;
const CODING_STYLE = 0xff52;
const TILE_PART_LENGTHS = 0xff55;
const TILE_PART = 0xff90;

/** Lowest first; null while the header is not complete, or where it does not tell. */
export function resolutions(stream: Uint8Array): Resolution[] | null {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  if (stream.length < 2 || view.getUint16(0) !== START) return null;
  let decompositions = -1;
  let lengths: number[] = [];
  let at = 2;
  while (at + 4 <= stream.length) {
    const marker = view.getUint16(at);
    if (marker === TILE_PART) return ends(at, lengths, decompositions);
    const end = at + 2 + view.getUint16(at + 2);
    if (end > stream.length) return null;
    if (marker === CODING_STYLE) decompositions = view.getUint8(at + 9);
    if (marker === TILE_PART_LENGTHS) lengths = [...lengths, ...tilePartLengths(view, at, end)];
    at = end;
  }
  return null;
}

function tilePartLengths(view: DataView, at: number, end: number): number[] {
  const style = view.getUint8(at + 5);
  const indexBytes = (style >> 4) & 3;
  const lengthBytes = style & 0x40 ? 4 : 2;
  const found: number[] = [];
  for (let next = at + 6 + indexBytes; next + lengthBytes <= end; next += indexBytes + lengthBytes) {
    found.push(lengthBytes === 4 ? view.getUint32(next) : view.getUint16(next));
  }
  return found;
}

function ends(headerBytes: number, lengths: number[], decompositions: number): Resolution[] | null {
  if (lengths.length !== decompositions + 1) return null;
  let bytes = headerBytes;
  return lengths.map((length, index) => ({ level: decompositions - index, bytes: (bytes += length) }));
}
