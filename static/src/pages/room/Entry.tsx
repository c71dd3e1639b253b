import type { Consultation } from '../../api/types';
import { PatientBar, patientOfConsultation } from '../../components/PatientBar';
import { useAct } from '../../components/resource';
import { Refusal } from '../../components/States';
import { DeviceCheck, useDevices } from '../../call/DeviceCheck';
import { dateTime } from '../../format';
import { t } from '../../i18n';

type EntryProps = { consultation: Consultation; mayEnter: boolean; enter: (stream: MediaStream) => Promise<void>; back: () => void };

export function Entry({ consultation, mayEnter, enter, back }: EntryProps) {
  const open = mayEnter && consultation.actions.includes('join');
  return (
    <main class="room-entry">
      <PatientBar patient={patientOfConsultation(consultation)} />
      <section class="room-entry-card">
        <h1>{t(open ? 'room.check.title' : 'room.title')}</h1>
        <p class="quiet-label">
          {consultation.requesting_hospital.name} {consultation.requesting_doctor.name} → {consultation.invited_hospital.name} {consultation.expert?.name} ·{' '}
          {dateTime(consultation.scheduled_at)}
        </p>
        {open ? <Open enter={enter} back={back} /> : <Closed words={t(mayEnter ? 'room.not_open' : 'room.no_study')} back={back} />}
      </section>
    </main>
  );
}

/** No camera is opened for a room that nobody can enter. */
function Closed({ words, back }: { words: string; back: () => void }) {
  return (
    <>
      <p class="device-trouble" data-testid="room-not-open">
        {words}
      </p>
      <footer class="room-entry-foot">
        <button type="button" class="button primary" onClick={back} data-testid="room-back">
          {t('room.back_to_consultation')}
        </button>
      </footer>
    </>
  );
}

/** Nothing here is a condition: whoever has no camera, or refuses it, enters with what there is. */
function Open({ enter, back }: Pick<EntryProps, 'enter' | 'back'>) {
  const devices = useDevices();
  const { busy, error, run } = useAct();
  return (
    <>
      <DeviceCheck state={devices} />
      <Refusal error={error} />
      <footer class="room-entry-foot">
        <button type="button" class="button" onClick={back} data-testid="room-back">
          {t('room.back')}
        </button>
        <button type="button" class="button primary" disabled={busy} onClick={() => void run(async () => enter(await devices.release()))} data-testid="room-enter">
          {t(busy ? 'room.entering' : 'room.enter')}
        </button>
      </footer>
    </>
  );
}
