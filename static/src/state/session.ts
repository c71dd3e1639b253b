/** Who is signed in, in this tab. */

import { signal } from '@preact/signals';

import { signOut, whoAmI } from '../api/endpoints';
import { ApiError, whenUnauthenticated } from '../api/http';
import type { User } from '../api/types';
import { forgetDrafts } from './draft';

export type Session =
  | { kind: 'unknown' }
  | { kind: 'unreachable'; error: unknown }
  | { kind: 'out'; expired: boolean }
  | { kind: 'in'; user: User };

export const session = signal<Session>({ kind: 'unknown' });

whenUnauthenticated(() => {
  if (session.value.kind === 'in') session.value = { kind: 'out', expired: true };
});

export async function loadSession(): Promise<void> {
  session.value = await whoAmI().then(
    ({ user }): Session => ({ kind: 'in', user }),
    (error: unknown): Session =>
      error instanceof ApiError && error.status === 401 ? { kind: 'out', expired: false } : { kind: 'unreachable', error },
  );
}

export function enter(user: User): void {
  session.value = { kind: 'in', user };
}

/** Drafts hold patient data: they go with the person, even when the server cannot be told. */
export async function leave(): Promise<void> {
  forgetDrafts();
  await signOut().catch(() => undefined);
  session.value = { kind: 'out', expired: false };
}

/** The signed-in person; only components below the sign-in gate may ask. */
export function me(): User {
  if (session.value.kind !== 'in') throw new Error('nobody is signed in');
  return session.value.user;
}
