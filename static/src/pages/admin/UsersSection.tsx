import { useState } from 'preact/hooks';

import { addUser, changeUser, listHospitals, listUsers } from '../../api/endpoints';
import type { Role, User } from '../../api/types';
import { FormDialog, type Values } from '../../components/FormDialog';
import { useResource } from '../../components/resource';
import { SearchBox } from '../../components/SearchBox';
import { Fetched } from '../../components/States';
import { t } from '../../i18n';
import { passwordError } from '../password';
import { userFields } from './userFields';
import { UserTable } from './UserTable';

const addFrom = ({ role, hospital_code: hospital, ...person }: Values) =>
  addUser({
    username: person.username ?? '',
    name: person.name ?? '',
    password: person.password ?? '',
    title: person.title ?? '',
    specialty: person.specialty ?? '',
    role: role as Role,
    hospital_code: hospital || null,
  });

const mentions = (user: User, words: string) =>
  [user.name, user.username, user.hospital?.name, user.specialty].some((part) => part?.includes(words.trim()));

type Open = { kind: 'add' } | { kind: 'password'; user: User } | null;

export function UsersSection() {
  const users = useResource('users', listUsers);
  const hospitals = useResource('hospitals', listHospitals);
  const [words, setWords] = useState('');
  const [open, setOpen] = useState<Open>(null);
  const done = () => users.reload();
  const close = () => setOpen(null);
  return (
    <>
      <div class="toolbar">
        <SearchBox label={t('admin.search_users')} value={words} onChange={setWords} />
        <button
          type="button"
          class="button primary toolbar-end"
          onClick={() => setOpen({ kind: 'add' })}
          data-testid="user-add"
        >
          {t('admin.add_user')}
        </button>
      </div>
      <Fetched resource={users}>
        {({ items }) => (
          <UserTable
            users={items.filter((user) => mentions(user, words))}
            onChanged={done}
            onPassword={(user) => setOpen({ kind: 'password', user })}
          />
        )}
      </Fetched>
      {open?.kind === 'add' && (
        <FormDialog
          name="user"
          title={t('admin.add_user')}
          submit={t('admin.add')}
          initial={{ role: 'doctor' }}
          fields={({ role }) => userFields(role, hospitals.data?.items ?? [])}
          act={(values) => addFrom(values).then(done)}
          onClose={close}
        />
      )}
      {open?.kind === 'password' && (
        <FormDialog
          name="password"
          title={t('admin.new_password_of', { name: open.user.name })}
          submit={t('admin.set_password')}
          fields={() => [
            { name: 'password', label: t('admin.new_password'), type: 'password', check: passwordError },
          ]}
          act={({ password = '' }) => changeUser(open.user.id, { password }).then(done)}
          onClose={close}
        />
      )}
    </>
  );
}
