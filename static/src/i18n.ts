/** Words in two languages. Every sentence lives in locales/; keys are dotted, e.g. "errors.session.bad_credentials". */

import { signal } from '@preact/signals';
import { createInstance } from 'i18next';

import { ApiError } from './api/http';

export type Language = 'zh' | 'en';

export interface Messages {
  [key: string]: string | Messages;
}

const KEPT_AS = 'telemed.language';

const files = import.meta.glob<Messages>(['../locales/*.json', '../locales/*/*.json'], {
  eager: true,
  import: 'default',
});

/** Nested or flat message files as one flat table of dotted keys. */
export function flatten(messages: Messages, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(messages).flatMap(([key, value]) =>
      typeof value === 'string' ? [[prefix + key, value]] : Object.entries(flatten(value, `${prefix}${key}.`)),
    ),
  );
}

/** All message files of one language, merged. */
export function messagesOf(language: Language): Record<string, string> {
  const own = Object.entries(files).filter(([path]) => path.split('/')[2]?.replace('.json', '') === language);
  return Object.assign({}, ...own.map(([, messages]) => flatten(messages))) as Record<string, string>;
}

function remembered(): Language {
  return localStorage.getItem(KEPT_AS) === 'en' ? 'en' : 'zh';
}

export const language = signal<Language>(remembered());

const words = createInstance();
void words.init({
  lng: language.value,
  fallbackLng: 'zh',
  keySeparator: false,
  nsSeparator: false,
  initAsync: false,
  interpolation: { escapeValue: false },
  resources: { zh: { translation: messagesOf('zh') }, en: { translation: messagesOf('en') } },
});
document.documentElement.lang = htmlLang(language.value);

function htmlLang(chosen: Language): string {
  return chosen === 'zh' ? 'zh-CN' : 'en';
}

/** The page stays as it is: components that called `t` render again with the other words. */
export function switchLanguage(chosen: Language): void {
  localStorage.setItem(KEPT_AS, chosen);
  document.documentElement.lang = htmlLang(chosen);
  void words.changeLanguage(chosen);
  language.value = chosen;
}

export type Params = Record<string, string | number>;

/** The words for a key; reading `language` makes the calling component follow the switch. */
export function t(key: string, params: Params = {}): string {
  return words.t(key, { lng: language.value, ...params });
}

export function known(key: string): boolean {
  return words.exists(key);
}

/** What went wrong and what to do, for people; an unknown code falls back to the server's own title. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return t('errors.internal');
  const key = `errors.${error.code}`;
  return known(key) ? t(key) : error.title;
}
