import type { Hospital } from '../../api/types';
import type { FormField } from '../../components/FormDialog';
import { t } from '../../i18n';
import { passwordError } from '../password';

/** What a new account needs: an administrator belongs to no hospital. */
export function userFields(role: string | undefined, hospitals: Hospital[]): FormField[] {
  const account: FormField[] = [
    { name: 'role', label: t('admin.role'), options: roles() },
    { name: 'name', label: t('admin.user_name') },
    { name: 'username', label: t('signin.username') },
    { name: 'password', label: t('signin.password'), type: 'password', check: passwordError },
  ];
  if (role !== 'doctor') return account;
  return [
    ...account,
    {
      name: 'hospital_code',
      label: t('patient.hospital'),
      options: hospitals.map(({ code, name }) => ({ value: code, label: name })),
    },
    { name: 'specialty', label: t('admin.specialty') },
    { name: 'title', label: t('admin.title') },
  ];
}

const roles = () => (['doctor', 'administrator'] as const).map((value) => ({ value, label: t(`role.${value}`) }));
