/** Looking after the archive: usage, what was set aside, what was deleted, retention, checks of the stored bytes. */

import { get, post, put } from './http';
import type { List } from './types';

export interface Quota {
  soft_bytes: number | null;
  hard_bytes: number | null;
  soft_instances: number | null;
  hard_instances: number | null;
}

export interface Usage {
  code: string;
  name: string;
  instance_count: number;
  size_bytes: number;
  quota: Quota;
  level: 'free' | 'soft' | 'hard';
  waiting_count: number;
  leaving_count: number;
  leaving_bytes: number;
}

export interface Waiting {
  id: string;
  study_instance_uid: string;
  series_instance_uid: string;
  sop_instance_uid: string;
  why: 'other_bytes' | 'other_patient' | 'other_study';
  /** [attribute, as stored, as arrived] */
  differences: [string, string, string][];
  size_bytes: number;
  sha256: string;
  received_at: string;
}

export interface Comparison {
  items: { tag: string; served: string; set_aside: string }[];
  count: number;
}

export interface DeletedAct {
  act: string;
  study_instance_uid: string;
  reason: string;
  instance_count: number;
  size_bytes: number;
  erase_at: string;
}

export interface Retention {
  policy: { rule: string; book_version: number; source: string; years: number; automatic: boolean; set_at: string | null };
  rules: { code: string; years: number; source: string }[];
  study_count: number;
  instance_count: number;
  size_bytes: number;
  overdue: { study_instance_uid: string; study_date: string; instance_count: number; size_bytes: number }[];
  holds: { id: string; study_instance_uid: string; note: string; placed_at: string }[];
}

export interface Run {
  id: string;
  owner: string | null;
  checked_instances: number;
  checked_bytes: number;
  damaged_instances: number;
  started_by: string;
  started_at: string;
  finished_at: string | null;
}

export interface Checks {
  runs: Run[];
  damaged: { instance_key: string; owner: string; sop_instance_uid: string; found: 'missing' | 'differs'; found_at: string }[];
}

const at = (code: string) => `/archive/hospitals/${encodeURIComponent(code)}`;

export const listUsage = () => get<List<Usage>>('/archive/hospitals');
export const setQuota = (code: string, quota: Quota) => put<void>(`${at(code)}/quota`, quota);
export const listWaiting = (code: string) => get<List<Waiting>>(`${at(code)}/apart`);
export const compareApart = (code: string, id: string) => get<Comparison>(`${at(code)}/apart/${id}/comparison`);
export const decideApart = (code: string, ids: string[], decision: 'release' | 'reject') =>
  post<{ instances: number }>(`${at(code)}/apart/decisions`, { ids, decision });
export const listDeleted = (code: string) => get<List<DeletedAct>>(`${at(code)}/deleted`);
export const restoreDeleted = (code: string, act: string) => post<{ instances: number }>(`${at(code)}/deleted/${act}/restore`);
export const getRetention = (code: string) => get<Retention>(`${at(code)}/retention`);
export const setRetention = (code: string, rule: string, years: number, automatic: boolean) =>
  put<Retention>(`${at(code)}/retention`, { rule, years, automatic });
export const getChecks = () => get<Checks>('/archive/verifications');
export const startCheck = (hospital: string | null) => post<Run>('/archive/verifications', { hospital });
