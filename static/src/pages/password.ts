import { t } from '../i18n';

/** The server has the last word; this only spares a round trip. */
export const PASSWORD_MIN_CHARACTERS = 10;

/** Words when the password is too short. */
export function passwordError(password: string): string | undefined {
  return password.length < PASSWORD_MIN_CHARACTERS
    ? t('form.password_short', { value: PASSWORD_MIN_CHARACTERS })
    : undefined;
}
