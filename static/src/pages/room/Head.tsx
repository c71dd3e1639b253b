import { useEffect, useState } from 'preact/hooks';

import type { Consultation } from '../../api/types';
import { AskOnce } from '../../components/AskOnce';
import { UrgentBadge } from '../../components/Badges';
import { PatientBar, patientOfConsultation } from '../../components/PatientBar';
import { t } from '../../i18n';
import type { RoomSession } from './session';

export function Head({ session, consultation, back }: { session: RoomSession; consultation: Consultation; back: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <header class="room-head">
      <PatientBar patient={patientOfConsultation(consultation)} />
      <span class="room-kind">
        {t('room.kind')} <UrgentBadge urgency={consultation.urgency} />
      </span>
      <Clock since={session.enteredAt} />
      <LinkState session={session} />
      <button type="button" class="button" onClick={() => setAsking(true)} data-testid="room-leave">
        {t('room.leave')}
      </button>
      {asking && (
        <AskOnce
          question={{ name: 'room-leave', title: t('room.leave'), words: t('room.leave.ask'), confirm: t('room.leave'), act: async () => back() }}
          onClose={() => setAsking(false)}
        />
      )}
    </header>
  );
}

/** Ticks once a second; returns the time now in epoch milliseconds. */
export function useSeconds(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

const two = (value: number) => String(value).padStart(2, '0');

export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:` : ''}${two(minutes)}:${two(seconds % 60)}`;
}

function Clock({ since }: { since: number }) {
  const now = useSeconds();
  return (
    <time class="room-clock" title={t('room.elapsed')} data-testid="room-clock">
      {elapsed(now - since)}
    </time>
  );
}

function LinkState({ session }: { session: RoomSession }) {
  const { phase } = session.client.link.value;
  const known = session.client.state.value.me !== '';
  const kind = phase === 'open' ? 'open' : known ? 'lost' : 'connecting';
  return (
    <span class={`room-link link-${kind}`} role="status" data-testid="room-link" data-state={kind}>
      {t(`room.link.${kind}`)}
    </span>
  );
}
