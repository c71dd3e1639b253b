/**
 * Stands in for what Cornerstone3D imports and this app never runs: dcmjs (reading Part 10 files in the browser), the
 * XML readers and WebGPU back end of vtk.js, rules for display sets. They were more than half of the viewer's code to fetch and to compile.
 */

const quiet = (): void => undefined;

function getLogger(): object {
  return { trace: quiet, debug: quiet, info: quiet, log: quiet, warn: quiet, error: console.error, setLevel: quiet, getLogger };
}

export const log = { getLogger };

export const constants = {
  IMPLICIT_LITTLE_ENDIAN: '1.2.840.10008.1.2',
  EXPLICIT_LITTLE_ENDIAN: '1.2.840.10008.1.2.1',
  DEFLATED_EXPLICIT_LITTLE_ENDIAN: '1.2.840.10008.1.2.1.99',
  EXPLICIT_BIG_ENDIAN: '1.2.840.10008.1.2.2',
};

function absent(): never {
  throw new Error('not part of this app');
}

/** Rules by which Cornerstone would group instances; ours are in frames.ts. */
export const registerDisplaySetProviders = quiet;

/** xmlbuilder2 */
export const create = absent;

export default {
  async: { AsyncDicomReader: absent },
  utilities: { DicomMetadataListener: absent },
  data: { DicomMetaDictionary: { dictionary: {}, nameMap: {} } },
  log,
  constants,
  // pako
  inflate: absent,
  inflateRaw: absent,
};
