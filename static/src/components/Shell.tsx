/** The frame around every desk page: where one is, who one is, which language. */

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';

import type { User } from '../api/types';
import { t } from '../i18n';
import { linkState } from '../state/live';
import { leave, me } from '../state/session';
import { useKeys } from './keys';
import { KeysHelp } from './KeysHelp';
import { LanguageSwitch } from './LanguageSwitch';

interface Place {
  href: string;
  label: string;
  within: string;
}

function placesOf(user: User): Place[] {
  if (user.role === 'administrator') return [{ href: '/admin/hospitals', label: t('nav.admin'), within: '/admin' }];
  return [
    { href: '/desk/received', label: t('nav.desk'), within: '/desk' },
    { href: '/upload', label: t('nav.upload'), within: '/upload' },
    { href: '/archive', label: t('nav.archive'), within: '/archive' },
  ];
}

export function Shell({ children }: { children: ComponentChildren }) {
  const [help, setHelp] = useState(false);
  useReadingLight();
  useKeys({ '?': () => setHelp(true) }, 'under');
  return (
    <>
      <a class="skip-link" href="#main">
        {t('nav.skip')}
      </a>
      <TopBar onHelp={() => setHelp(true)} />
      <LinkNotice />
      <main id="main" class="main">
        {children}
      </main>
      {help && <KeysHelp onClose={() => setHelp(false)} />}
    </>
  );
}

/** Where a radiograph is read, the whole window is dark: nothing white beside it, not even the frame. */
function useReadingLight(): void {
  const reading = useLocation().path.startsWith('/studies/');
  useLayoutEffect(() => {
    document.documentElement.classList.toggle('reading', reading);
    return () => document.documentElement.classList.remove('reading');
  }, [reading]);
}

function TopBar({ onHelp }: { onHelp: () => void }) {
  const { path, route } = useLocation();
  const user = me();
  // Whoever signs in next begins at the beginning, not in this person's page.
  const signOut = () => leave().then(() => route('/', true));
  return (
    <header class="top-bar">
      <a class="brand" href="/">
        {t('app.name')}
      </a>
      <nav class="places" aria-label={t('nav.main')}>
        {placesOf(user).map(({ href, label, within }) => (
          <a key={href} href={href} aria-current={path.startsWith(within) ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <span class="whoami" data-testid="whoami">
        {user.hospital && <span class="whoami-hospital">{user.hospital.name}</span>}
        <strong>{user.name}</strong> {user.title}
      </span>
      <LanguageSwitch />
      <button type="button" class="button quiet" onClick={onHelp} aria-label={t('keys.title')} data-testid="keys-help">
        ?
      </button>
      <button type="button" class="button quiet" onClick={() => void signOut()} data-testid="sign-out">
        {t('nav.sign_out')}
      </button>
    </header>
  );
}

function LinkNotice() {
  return (
    <div role="status">
      {linkState.value === 'lost' && <p class="link-notice">{t('live.lost')}</p>}
    </div>
  );
}
