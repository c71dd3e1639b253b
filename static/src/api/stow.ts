/** Storing one file by STOW-RS (PS3.18 10.5), with progress, and what the answer says about it. */

import { type ApiError, problem } from './http';

export type StoreKind = 'stored' | 'already_stored' | 'repaired' | 'conflict' | 'refused';

export interface StoreOutcome {
  kind: StoreKind;
  /** Failure or warning reason (PS3.18 table I.2), e.g. 0xC000. */
  reason: number | null;
}

interface DicomJson {
  [tag: string]: { Value?: unknown[] } | undefined;
}

const FAILED_SOP_SEQUENCE = '00081198';
const REFERENCED_SOP_SEQUENCE = '00081199';
const FAILURE_REASON = '00081197';
const WARNING_REASON = '00081196';

/** The present answer's only entry: this client sends one instance in each request. */
export function readStoreAnswer(status: number, text: string): StoreOutcome | ApiError {
  const answer = parse(text);
  const failed = first(answer?.[FAILED_SOP_SEQUENCE]);
  if (failed) return { kind: 'refused', reason: reasonOf(failed, FAILURE_REASON) };
  const stored = first(answer?.[REFERENCED_SOP_SEQUENCE]);
  if (!stored) return problem(status, text);
  const reason = reasonOf(stored, WARNING_REASON);
  return { kind: reason === null ? 'stored' : 'repaired', reason };
}

function parse(text: string): DicomJson | null {
  try {
    return JSON.parse(text) as DicomJson;
  } catch {
    return null;
  }
}

const first = (sequence: DicomJson[string]) => sequence?.Value?.[0] as DicomJson | undefined;

function reasonOf(item: DicomJson, tag: string): number | null {
  const value = item[tag]?.Value?.[0];
  return value === undefined ? null : Number(value);
}
