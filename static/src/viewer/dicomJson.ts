/** Reading the DICOM JSON model (PS3.18 F.2): what the viewer needs of a metadata answer, tolerant of what is missing. */

export type DicomElement = { vr?: string; Value?: unknown[]; InlineBinary?: string; BulkDataURI?: string };
export type DicomJson = Record<string, DicomElement>;

export function numbers(dataset: DicomJson, tag: string): number[] {
  return (dataset[tag]?.Value ?? []).map(Number).filter(Number.isFinite);
}

export function number(dataset: DicomJson, tag: string): number | null {
  return numbers(dataset, tag)[0] ?? null;
}

export function text(dataset: DicomJson, tag: string): string {
  const value = dataset[tag]?.Value?.[0];
  return typeof value === 'string' ? value : '';
}

export function items(dataset: DicomJson, tag: string): DicomJson[] {
  return (dataset[tag]?.Value ?? []).filter((item): item is DicomJson => typeof item === 'object' && item !== null);
}
