import { useState } from 'preact/hooks';

import { signIn } from '../api/endpoints';
import { TextField } from '../components/fields';
import { useAct } from '../components/resource';
import { Refusal } from '../components/States';
import { useTitle } from '../components/title';
import { t } from '../i18n';
import { enter } from '../state/session';
import { Gatehouse } from './Gatehouse';

export function SignInPage({ expired }: { expired: boolean }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  useTitle(t('signin.title'));
  const missing = (value: string) => (tried && !value ? t('form.required') : undefined);
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (username && password) void run(async () => enter((await signIn(username.trim(), password)).user));
  };
  return (
    <Gatehouse title={t('signin.title')}>
      {expired && !error && <p class="notice">{t('signin.expired')}</p>}
      <form onSubmit={submit} noValidate>
        <TextField
          testid="login-username"
          label={t('signin.username')}
          value={username}
          onChange={setUsername}
          autocomplete="username"
          error={missing(username)}
          autofocus
        />
        <TextField
          testid="login-password"
          label={t('signin.password')}
          type="password"
          value={password}
          onChange={setPassword}
          autocomplete="current-password"
          error={missing(password)}
        />
        <Refusal error={error} />
        <button type="submit" class="button primary wide" disabled={busy} data-testid="login-submit">
          {busy ? t('signin.busy') : t('signin.submit')}
        </button>
      </form>
      <p class="quiet-label">{t('signin.help')}</p>
    </Gatehouse>
  );
}
