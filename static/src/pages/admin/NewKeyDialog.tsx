import { useRef, useState } from 'preact/hooks';

import { Dialog } from '../../components/Dialog';
import { t } from '../../i18n';

/** Shows a new key the only time it can be seen. */
export function NewKeyDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    field.current!.select();
    await navigator.clipboard.writeText(secret);
    setCopied(true);
  };
  return (
    <Dialog title={t('admin.new_key')} onClose={onClose}>
      <p class="notice">{t('admin.new_key_words')}</p>
      <div class="secret">
        <input ref={field} readOnly value={secret} aria-label={t('admin.new_key')} data-testid="key-secret" />
        <button type="button" class="button" onClick={() => void copy()} data-testid="key-copy">
          {copied ? t('admin.copied') : t('admin.copy')}
        </button>
      </div>
      <footer class="dialog-foot">
        <button type="button" class="button primary" onClick={onClose} data-testid="key-kept">
          {t('admin.key_kept')}
        </button>
      </footer>
    </Dialog>
  );
}
