/** All keys of the page that is open: its own, and those of a viewer in it. */

import { t } from '../i18n';
import { Dialog } from './Dialog';
import { keysOfPart, type KeyWords } from './keys';

const KEYS: KeyWords[] = [
  ['/', 'keys.search'],
  ['j / k', 'keys.move'],
  ['Enter', 'keys.open'],
  ['Esc', 'keys.close'],
  ['?', 'keys.help'],
];

export function KeysHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('keys.title')} onClose={onClose}>
      <dl class="key-list">
        {[...keysOfPart.value, ...KEYS].map(([key, words]) => (
          <div key={words}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(words)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
