import { useState } from 'preact/hooks';

import { changeUser } from '../../api/endpoints';
import type { User } from '../../api/types';
import { AskOnce } from '../../components/AskOnce';
import { t } from '../../i18n';
import { me } from '../../state/session';

interface UserTableProps {
  users: User[];
  onChanged: () => void;
  onPassword: (user: User) => void;
}

const HEADS = ['user_name', 'username', 'role', 'hospital', 'specialty', 'title'];

export function UserTable({ users, onChanged, onPassword }: UserTableProps) {
  const [asked, ask] = useState<User | null>(null);
  const turn = asked?.disabled ? 'enable' : 'disable';
  return (
    <div class="table-frame">
      <table class="table table-still">
        <thead>
          <tr>
            {HEADS.map((name) => (
              <th key={name} scope="col">
                {t(`admin.${name}`)}
              </th>
            ))}
            <th scope="col" aria-label={t('admin.actions')} />
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <UserRow key={user.id} user={user} onTurn={() => ask(user)} onPassword={() => onPassword(user)} />
          ))}
        </tbody>
      </table>
      {asked && (
        <AskOnce
          question={{
            name: `user-${turn}`,
            title: t(`admin.${turn}_title`, { name: asked.name }),
            words: t(`admin.${turn}_words`),
            confirm: t(`admin.${turn}`),
            grave: turn === 'disable',
            act: () => changeUser(asked.id, { disabled: turn === 'disable' }).then(onChanged),
          }}
          onClose={() => ask(null)}
        />
      )}
    </div>
  );
}

function UserRow({ user, onTurn, onPassword }: { user: User; onTurn: () => void; onPassword: () => void }) {
  return (
    <tr class={user.disabled ? 'row row-gone' : 'row'} data-testid={`user-row-${user.username}`}>
      <td>
        <strong class="name">{user.name}</strong>
      </td>
      <td>{user.username}</td>
      <td>{t(`role.${user.role}`)}</td>
      <td>{user.hospital?.name}</td>
      <td>{user.specialty}</td>
      <td>{user.title}</td>
      <td class="cell-end">
        <button type="button" class="button" onClick={onPassword} data-testid={`user-password-${user.username}`}>
          {t('admin.set_password')}
        </button>{' '}
        {user.id !== me().id && (
          <button type="button" class="button" onClick={onTurn} data-testid={`user-turn-${user.username}`}>
            {t(user.disabled ? 'admin.enable' : 'admin.disable')}
          </button>
        )}
      </td>
    </tr>
  );
}
