/** The one queue of this tab: it goes on while other pages are shown, and never outlives its person's session. */

import { effect } from '@preact/signals';

import { session } from '../../state/session';
import { UploadQueue } from './queue';
import { storeFile } from './storeFile';

export const uploads = new UploadQueue(storeFile);

let owner: string | null = null;

effect(() => {
  const now = session.value;
  if (now.kind !== 'in') return uploads.stop();
  if (now.user.id !== owner) uploads.clear();
  owner = now.user.id;
  uploads.resume();
});

window.addEventListener('beforeunload', (event) => {
  const busy = uploads.items.some(({ status }) => status === 'waiting' || status === 'sending');
  if (busy) event.preventDefault();
});
