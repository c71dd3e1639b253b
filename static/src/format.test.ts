import { beforeEach, describe, expect, it } from 'vitest';

import { age, bytes, clockOf, date, dateTime, localInput, percent, sex } from './format';
import { switchLanguage } from './i18n';

beforeEach(() => switchLanguage('zh'));

describe('dates', () => {
  it('show a point in time as 2026-11-23 14:05 in the zone of the browser', () => {
    const at = new Date(2026, 10, 23, 14, 5).toISOString();
    expect(dateTime(at)).toBe('2026-11-23 14:05');
  });

  it('leave a plain date alone, whatever the zone', () => {
    expect(date('2026-11-23')).toBe('2026-11-23');
  });

  it('are empty where there is none', () => {
    expect(dateTime(null)).toBe('');
    expect(date('')).toBe('');
  });

  it('make the value of a datetime-local field', () => {
    expect(localInput(new Date(2026, 0, 2, 3, 4))).toBe('2026-01-02T03:04');
  });
});

describe('clockOf', () => {
  it.each([
    ['14:05:33', '14:05'],
    ['140533.120', '14:05'],
    ['', ''],
    ['noon', ''],
  ])('of %s is %s', (stored, shown) => expect(clockOf(stored)).toBe(shown));
});

describe('ages', () => {
  const on = new Date(2026, 10, 23);

  it.each([
    ['058Y', '58岁'],
    ['007M', '7个月'],
    ['03W', '3周'],
    ['012D', '12天'],
  ])('%s reads %s', (stored, shown) => expect(age(stored, '', on)).toBe(shown));

  it('come from the birth date where no age is stored', () => {
    expect(age('', '1968-11-24', on)).toBe('57岁');
    expect(age('', '1968-11-23', on)).toBe('58岁');
    expect(age('', '20260301', on)).toBe('8个月');
  });

  it('are said to be unknown where nothing tells', () => {
    expect(age('', '', on)).toBe('年龄不详');
    expect(age('old', 'unknown', on)).toBe('年龄不详');
  });
});

describe('sexes', () => {
  it('are words, also for codes that nobody knows', () => {
    expect([sex('M'), sex('F'), sex('O'), sex(''), sex('X')]).toEqual(['男', '女', '其他', '性别不详', '性别不详']);
  });

  it('follow the language', () => {
    switchLanguage('en');
    expect(sex('M')).toBe('M');
  });
});

describe('amounts', () => {
  it.each([
    [999, '999 B'],
    [1000, '1.0 kB'],
    [525_312, '525 kB'],
    [11_100_000, '11 MB'],
    [2_500_000_000, '2.5 GB'],
  ])('%d bytes read %s', (count, shown) => expect(bytes(count)).toBe(shown));

  it('of probability are percent, or nothing', () => {
    expect(percent(0.873)).toBe('87%');
    expect(percent(null)).toBe('');
  });
});
