/** What the store service (STOW-RS, PS3.18 10.5) says about the one instance that was sent. */

import { type ApiError, problem } from './http';

export type StoreKind = 'stored' | 'already_stored' | 'repaired' | 'remarked' | 'conflict' | 'refused';

export interface StoreOutcome {
  kind: StoreKind;
  /** The archive's stable words: what it noticed, or why it refuses. */
  words: string[];
}

interface StoreAnswer {
  status: number;
  body: string;
  /** The Warning header. */
  warning: string | null;
}

const FAILED_SOP_SEQUENCE = '00081198';
const REFERENCED_SOP_SEQUENCE = '00081199';

/** An answer that names no instance is a refusal of the whole request. */
export function readStoreAnswer({ status, body, warning }: StoreAnswer): StoreOutcome | ApiError {
  const sequences = sequencesOf(body);
  const words = [...(warning ?? '').matchAll(/299 \S+ "([^"]+)"/g)].map(([, word]) => word!);
  if (sequences.includes(FAILED_SOP_SEQUENCE)) {
    return { kind: words.includes('different_bytes') ? 'conflict' : 'refused', words };
  }
  return sequences.includes(REFERENCED_SOP_SEQUENCE) ? { kind: storedKind(words), words } : problem(status, body);
}

function sequencesOf(body: string): string[] {
  try {
    return Object.keys(JSON.parse(body) as object);
  } catch {
    return [];
  }
}

function storedKind(words: string[]): StoreKind {
  if (words.includes('already_stored')) return 'already_stored';
  if (words.includes('charset_repaired')) return 'repaired';
  return words.length > 0 ? 'remarked' : 'stored';
}
