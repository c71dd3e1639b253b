/** How values look to people. Times are shown in the browser's own zone. */

import { t } from './i18n';

const pad = (value: number) => String(value).padStart(2, '0');

/** "2026-11-23" of an RFC 3339 time or an ISO date. */
export function date(iso: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(iso) || !iso) return iso;
  const at = new Date(iso);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

/** "14:05". */
export function time(iso: string): string {
  const at = new Date(iso);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

/** "2026-11-23 14:05"; empty stays empty. */
export function dateTime(iso: string | null): string {
  return iso ? `${date(iso)} ${time(iso)}` : '';
}

/** "14:05" of "14:05:33.12" or the DICOM "140533". */
export function clockOf(studyTime: string): string {
  const digits = studyTime.replaceAll(':', '').slice(0, 4);
  return /^\d{4}$/.test(digits) ? `${digits.slice(0, 2)}:${digits.slice(2)}` : '';
}

const SEXES = ['M', 'F', 'O'];

export function sex(code: string): string {
  return t(`sex.${SEXES.includes(code) ? code : 'unknown'}`);
}

const AGE_UNITS: Record<string, string> = { Y: 'years', M: 'months', W: 'weeks', D: 'days' };

/** "58岁" of a DICOM age string (PS3.5 AS: "058Y"), else from the birth date, else unknown. */
export function age(dicomAge: string, birthDate: string, on: Date = new Date()): string {
  const [, count, unit] = /^(\d{1,3})([DWMY])$/.exec(dicomAge) ?? [];
  if (count && unit) return t(`age.${AGE_UNITS[unit]}`, { value: Number(count) });
  const months = monthsSince(birthDate, on);
  if (months === null) return t('age.unknown');
  return months < 24 ? t('age.months', { value: months }) : t('age.years', { value: Math.floor(months / 12) });
}

function monthsSince(birthDate: string, on: Date): number | null {
  const [, year, month, day] = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(birthDate) ?? [];
  if (!year) return null;
  const months = (on.getFullYear() - Number(year)) * 12 + on.getMonth() + 1 - Number(month);
  return months - (on.getDate() < Number(day) ? 1 : 0);
}

/** "12.4 MB": decimal units, as file managers show them. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const power = Math.min(Math.floor(Math.log10(count) / 3), 4);
  const value = count / 1000 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${['kB', 'MB', 'GB', 'TB'][power - 1]}`;
}

/** "87 %" of 0.871; empty where the model gave none. */
export function percent(fraction: number | null): string {
  return fraction === null ? '' : `${Math.round(fraction * 100)}%`;
}

/** The value a datetime-local field takes for a point in time. */
export function localInput(at: Date): string {
  return `${date(at.toISOString())}T${time(at.toISOString())}`;
}
