import type { ComponentChildren } from 'preact';

import { LanguageSwitch } from '../components/LanguageSwitch';
import { t } from '../i18n';

/** The one card that people without a session see. */
export function Gatehouse({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="gatehouse">
      <div class="gatehouse-card">
        <header class="gatehouse-head">
          <span class="brand">{t('app.name')}</span>
          <LanguageSwitch />
        </header>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
