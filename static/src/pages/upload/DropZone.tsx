import { useRef, useState } from 'preact/hooks';

import { t } from '../../i18n';
import { chosen, entriesOf, type Picked, walk } from './pick';

interface DropZoneProps {
  small: boolean;
  onFiles: (files: Picked[]) => void;
}

export function DropZone({ small, onFiles }: DropZoneProps) {
  const [over, setOver] = useState(false);
  const [unreadable, setUnreadable] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    setUnreadable(false);
    if (event.dataTransfer) walk(entriesOf(event.dataTransfer), onFiles).catch(() => setUnreadable(true));
  };
  return (
    <section
      class={`drop-zone${over ? ' drop-zone-over' : ''}${small ? ' drop-zone-small' : ''}`}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      aria-label={t('upload.drop')}
      data-testid="upload-drop"
    >
      <div>
        <h1>{t('upload.drop')}</h1>
        <p class="quiet-label">{t('upload.words')}</p>
        {unreadable && <p class="refusal">{t('upload.unreadable_folder')}</p>}
      </div>
      <div class="actions">
        <Chooser name="files" onFiles={onFiles} />
        <Chooser name="folder" onFiles={onFiles} />
      </div>
    </section>
  );
}

function Chooser({ name, onFiles }: { name: 'files' | 'folder'; onFiles: (files: Picked[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const taken = () => {
    onFiles(chosen(input.current!.files!));
    // Choosing the same files again must be noticed: that is how an upload is taken up again.
    input.current!.value = '';
  };
  return (
    <>
      <button
        type="button"
        class={`button ${name === 'folder' ? 'primary' : ''}`}
        onClick={() => input.current!.click()}
        data-testid={`upload-choose-${name}`}
      >
        {t(`upload.choose_${name}`)}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        {...(name === 'folder' && { webkitdirectory: true })}
        aria-label={t(`upload.choose_${name}`)}
        onChange={taken}
        data-testid={`upload-input-${name}`}
      />
    </>
  );
}
