/** Drafts of forms, in this tab's own storage only: it is never sent, and goes when the tab closes. */

const PREFIX = 'telemed.draft.';

export function keepDraft(name: string, draft: object): void {
  sessionStorage.setItem(PREFIX + name, JSON.stringify(draft));
}

export function readDraft<T extends object>(name: string): Partial<T> {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name) ?? '{}') as Partial<T>;
  } catch {
    return {};
  }
}

export function forgetDraft(name: string): void {
  sessionStorage.removeItem(PREFIX + name);
}

export function forgetDrafts(): void {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  }
}
