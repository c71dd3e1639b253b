import { useState } from 'preact/hooks';

import { t } from '../i18n';
import { Dialog } from './Dialog';
import { TextArea } from './fields';
import { useAct } from './resource';
import { Refusal } from './States';

export interface Question {
  /** Prefix of the data-testid of the parts: "<name>-text", "<name>-confirm". */
  name: string;
  title: string;
  /** Names the consequence. */
  words: string;
  confirm: string;
  grave?: boolean;
  /** Label of a text that must be given. */
  text?: string;
  act: (text: string) => Promise<unknown>;
}

/** Asks once before something that counts; the button says what will happen. */
export function AskOnce({ question, onClose }: { question: Question; onClose: () => void }) {
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  const missing = question.text !== undefined && text.trim() === '';
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (!missing) void run(() => question.act(text.trim()).then(onClose));
  };
  return (
    <Dialog title={question.title} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <p>{question.words}</p>
        {question.text !== undefined && (
          <TextArea
            testid={`${question.name}-text`}
            label={question.text}
            value={text}
            onChange={setText}
            error={tried && missing ? t('form.required') : undefined}
            required
          />
        )}
        <Refusal error={error} />
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose} data-testid={`${question.name}-back`}>
            {t('action.back')}
          </button>
          <button
            type="submit"
            class={`button ${question.grave ? 'grave' : 'primary'}`}
            disabled={busy}
            data-testid={`${question.name}-confirm`}
          >
            {question.confirm}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
