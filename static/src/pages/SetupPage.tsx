import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';

import { setUp, signIn } from '../api/endpoints';
import { TextField } from '../components/fields';
import { useAct } from '../components/resource';
import { Refusal } from '../components/States';
import { useTitle } from '../components/title';
import { t } from '../i18n';
import { enter } from '../state/session';
import { Gatehouse } from './Gatehouse';
import { passwordError } from './password';

interface Form {
  name: string;
  username: string;
  password: string;
  repeat: string;
}

/** Words for each field that is not right yet. */
export function setupErrors(form: Form): Partial<Form> {
  const errors: Partial<Form> = {};
  if (!form.name.trim()) errors.name = t('form.required');
  if (!form.username.trim()) errors.username = t('form.required');
  const weak = passwordError(form.password);
  if (weak) errors.password = weak;
  if (form.repeat !== form.password) errors.repeat = t('setup.repeat_differs');
  return errors;
}

/** Makes the first administrator; the one-time token stands after "#", so it reaches no server log. */
export function SetupPage() {
  const { route } = useLocation();
  const [form, setForm] = useState<Form>({ name: '', username: '', password: '', repeat: '' });
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  useTitle(t('setup.title'));
  const errors = setupErrors(form);
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(errors).length > 0) return;
    const { repeat: _, ...person } = form;
    void run(async () => {
      await setUp({ token: location.hash.slice(1), ...person });
      enter((await signIn(person.username, person.password)).user);
      route('/', true);
    });
  };
  const field = (name: keyof Form) => ({
    testid: `setup-${name}`,
    label: t(`setup.${name}`),
    value: form[name],
    onChange: (value: string) => setForm({ ...form, [name]: value }),
    error: tried ? errors[name] : undefined,
  });
  return (
    <Gatehouse title={t('setup.title')}>
      <p>{t('setup.words')}</p>
      <form onSubmit={submit} noValidate>
        <TextField {...field('name')} autocomplete="name" autofocus />
        <TextField {...field('username')} autocomplete="username" />
        <TextField {...field('password')} type="password" autocomplete="new-password" hint={t('form.password_hint')} />
        <TextField {...field('repeat')} type="password" autocomplete="new-password" />
        <Refusal error={error} />
        <button type="submit" class="button primary wide" disabled={busy} data-testid="setup-submit">
          {t('setup.submit')}
        </button>
      </form>
    </Gatehouse>
  );
}
