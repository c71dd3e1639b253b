import { useEffect } from 'preact/hooks';

import { t } from '../i18n';

/** Names the browser tab; never with a patient's name, which would stay in the history. */
export function useTitle(page: string): void {
  useEffect(() => {
    document.title = `${page} · ${t('app.name')}`;
  });
}
