import { useEffect, useRef, useState } from 'preact/hooks';

import { time } from '../../format';
import { t } from '../../i18n';
import { shownChat, type ChatLine } from '../../shared/roomState';
import { Icon } from '../../viewer/icons';
import type { RoomSession } from './session';

const MAX_CHARACTERS = 2000;

export function Chat({ session }: { session: RoomSession }) {
  const lines = shownChat(session.client.state.value);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const box = list.current!;
    const nearEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 120;
    if (nearEnd || lines.at(-1)?.pending) box.scrollTop = box.scrollHeight;
  }, [lines.length]);
  return (
    <section class="chat" aria-label={t('room.tab.chat')}>
      <ol class="chat-lines" ref={list} data-testid="room-chat-lines">
        {lines.length === 0 && <li class="quiet-label">{t('room.chat.empty')}</li>}
        {lines.map((line) => (
          <Line key={line.key} line={line} session={session} />
        ))}
      </ol>
      <Compose send={(text) => session.client.command('chat.send', { text })} />
    </section>
  );
}

function Line({ line, session }: { line: ChatLine; session: RoomSession }) {
  const mine = line.from === session.client.state.value.me;
  return (
    <li class={`chat-line${mine ? ' chat-mine' : ''}`} data-testid="room-chat-line" data-pending={line.pending}>
      <span class="chat-head">
        {line.name || session.nameOf(line.from)} <time>{line.pending ? t('room.chat.sending') : time(line.at)}</time>
      </span>
      <span class="chat-text">{line.text}</span>
    </li>
  );
}

function Compose({ send }: { send: (text: string) => void }) {
  const [text, setText] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim()) send(text.trim());
    setText('');
  };
  const pressed = (event: KeyboardEvent) => {
    // While an input method composes, Enter chooses characters.
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
    if (event.key === 'Escape') (event.currentTarget as HTMLElement).blur();
  };
  return (
    <form class="chat-form" onSubmit={submit}>
      <textarea
        rows={2}
        maxLength={MAX_CHARACTERS}
        placeholder={t('room.chat.placeholder')}
        aria-label={t('room.chat.placeholder')}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={pressed}
        data-testid="room-chat-input"
      />
      <button type="submit" class="button primary" aria-label={t('room.chat.send')} data-testid="room-chat-send">
        <Icon name="send" />
      </button>
    </form>
  );
}
