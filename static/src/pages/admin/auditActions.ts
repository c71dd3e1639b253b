import { known, t } from '../../i18n';

/** What the audit trail records, as it is written there. */
export const ACTIONS = [
  'user:session:create',
  'user:session:end',
  'user:setup:redeem',
  'administrator:user:create',
  'administrator:user:change',
  'administrator:hospital:create',
  'administrator:reviewer:create',
  'administrator:reviewer:change',
  'administrator:api_key:create',
  'administrator:api_key:revoke',
  'user:study:search',
  'user:study:view',
  'user:study:store',
  'hospital:study:search',
  'hospital:study:view',
  'hospital:study:store',
  'hospital:study:delete',
  'administrator:quota:set',
  'administrator:retention:set',
  'administrator:hold:place',
  'administrator:hold:lift',
  'administrator:study:restore',
  'administrator:archive:verify',
  'user:apart:view',
  'user:apart:decide',
  'reviewer:study:fetch',
  'reviewer:result:create',
  'doctor:finding:assess',
  'doctor:consultation:create',
  'doctor:consultation:view',
  'doctor:consultation:accept',
  'doctor:consultation:decline',
  'doctor:consultation:cancel',
  'doctor:consultation:acknowledge',
  'doctor:room:join',
  'doctor:opinion:sign',
  'doctor:opinion:print',
] as const;

/** Why it was done, for people; a purpose without words is shown as it is written. */
export function purposeWords(purpose: string): string {
  const key = `audit.purposes.${purpose}`;
  return known(key) ? t(key) : purpose;
}

/** An action newer than these words is shown as it is written. */
export function actionWords(action: string): string {
  const key = `audit.actions.${action}`;
  return known(key) ? t(key) : action;
}
