/** What a key does to a table's selection; pure. */

export type Move = { kind: 'select'; index: number } | { kind: 'open'; index: number };

const STEPS: Record<string, number> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

/** `selected` is -1 when no row is; the selection stops at both ends. */
export function tableMove(key: string, selected: number, count: number): Move | null {
  if (count === 0) return null;
  if (key === 'Enter') return selected < 0 ? null : { kind: 'open', index: selected };
  const step = STEPS[key];
  if (step === undefined) return null;
  return { kind: 'select', index: Math.min(Math.max(selected + step, 0), count - 1) };
}
