import { describe, expect, it } from 'vitest';

import { ApiError } from './api/http';
import { errorText, flatten, messagesOf, switchLanguage, t } from './i18n';

const sources = import.meta.glob<string>(['./**/*.{ts,tsx}', '!./**/*.test.{ts,tsx}'], {
  eager: true,
  query: '?raw',
  import: 'default',
});
const code = Object.values(sources).join('\n');
const zh = messagesOf('zh');
const en = messagesOf('en');

const all = (pattern: RegExp, text: string) => [...text.matchAll(pattern)].map(([, found]) => found!);

/** What stands between the parentheses of every call of `t`. */
const calls = all(/\bt\(((?:[^()]|\([^()]*\))*)\)/g, code).join('\n');
const literals = all(/'([a-z_]+\.[\w.:]+)'/g, calls);
const templates = all(/`([a-z_]+\.[^`]*\$\{[^`]*)`/g, code);

const values = (message: string) => all(/\{\{(\w+)\}\}/g, message).toSorted();

const patternOf = (template: string) =>
  new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '.+')}$`);

describe('the message files', () => {
  it('have the same keys in both languages', () => {
    expect(Object.keys(en).toSorted()).toEqual(Object.keys(zh).toSorted());
  });

  it('name the same values in both languages', () => {
    const differing = Object.keys(zh).filter((key) => values(zh[key]!).join() !== values(en[key]!).join());
    expect(differing).toEqual([]);
  });

  it('hold every key that the code names', () => {
    expect(literals.length).toBeGreaterThan(100);
    expect(literals.filter((key) => !(key in zh))).toEqual([]);
  });

  it('hold something for every key that the code puts together', () => {
    const keys = Object.keys(zh);
    const empty = templates.filter((template) => !keys.some((key) => patternOf(template).test(key)));
    expect(empty).toEqual([]);
  });

  it('hold nothing that the code does not use', () => {
    const quoted = new Set(all(/'([a-z_]+\.[\w.:]+)'/g, code));
    const patterns = templates.map(patternOf);
    const unused = Object.keys(zh).filter(
      (key) => !key.startsWith('errors.') && !quoted.has(key) && !patterns.some((pattern) => pattern.test(key)),
    );
    expect(unused).toEqual([]);
  });
});

describe('words', () => {
  it('follow the language', () => {
    switchLanguage('en');
    expect(t('pager.place', { page: 1, pages: 2, total: 69 })).toBe('Page 1 of 2, 69 in all');
    expect(document.documentElement.lang).toBe('en');
    switchLanguage('zh');
    expect(t('pager.place', { page: 1, pages: 2, total: 69 })).toBe('第 1 / 2 页，共 69 条');
    expect(document.documentElement.lang).toBe('zh-CN');
  });

  it('for an error come from its code, else from the server', () => {
    switchLanguage('zh');
    expect(errorText(new ApiError('session.bad_credentials', 401, 'Wrong'))).toContain('用户名或密码不对');
    expect(errorText(new ApiError('brand.new', 422, 'Something new'))).toBe('Something new');
    expect(errorText(new Error('bug'))).toBe(t('errors.internal'));
  });

  it('may be nested in their files', () => {
    expect(flatten({ room: { chat: { send: '发送' } }, 'call.end': '结束' })).toEqual({
      'room.chat.send': '发送',
      'call.end': '结束',
    });
  });
});
