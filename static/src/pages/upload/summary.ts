/** The queue in figures; pure. */

import type { Item, Status } from './queue';

export type Group = 'all' | 'trouble' | 'ahead' | 'done' | 'skipped';

export const GROUPS: readonly Group[] = ['all', 'trouble', 'ahead', 'done', 'skipped'];

const GROUP_OF: Record<Status, Exclude<Group, 'all'>> = {
  waiting: 'ahead',
  sending: 'ahead',
  stored: 'done',
  already_stored: 'done',
  repaired: 'done',
  remarked: 'done',
  conflict: 'trouble',
  refused: 'trouble',
  failed: 'trouble',
  skipped: 'skipped',
};

export interface Summary {
  counts: Record<Group, number>;
  /** How many another attempt may help; what the store refused, it refuses again. */
  failed: number;
  /** Of the files that are to be sent at all. */
  totalBytes: number;
  sentBytes: number;
}

export function summarise(items: readonly Item[]): Summary {
  const summary: Summary = {
    counts: { all: items.length, trouble: 0, ahead: 0, done: 0, skipped: 0 },
    failed: 0,
    totalBytes: 0,
    sentBytes: 0,
  };
  for (const item of items) {
    const group = GROUP_OF[item.status];
    summary.counts[group]++;
    if (item.status === 'failed') summary.failed++;
    if (group === 'skipped') continue;
    summary.totalBytes += item.file.size;
    summary.sentBytes += group === 'ahead' ? Math.min(item.sentBytes, item.file.size) : item.file.size;
  }
  return summary;
}

export function within(group: Group, items: readonly Item[]): readonly Item[] {
  return group === 'all' ? items : items.filter((item) => GROUP_OF[item.status] === group);
}
