/** The consultation room: check devices, enter, work, leave. */
import { useEffect, useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';

import { getConsultation, getStudy, joinRoom } from '../../api/endpoints';
import type { Consultation, Study } from '../../api/types';
import { useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { warmUp } from '../../viewer/stage';
import { useViewer } from '../../viewer/StudyViewer';
import { Entry } from './Entry';
import { Inside } from './Inside';
import { RoomSession } from './session';
import './room.css';

type Ready = { consultation: Consultation; study: Study | null };

async function load(id: string): Promise<Ready> {
  const consultation = await getConsultation(id);
  const study = consultation.study && (await getStudy(consultation.study.study_id));
  return { consultation, study };
}

export default function RoomPage() {
  const id = useRoute().params['id']!;
  const ready = useResource(id, () => load(id));
  useTitle(t('room.title'));
  return (
    <div class="reading room" data-testid="room">
      <Fetched resource={ready}>{(found) => <Room {...found} />}</Fetched>
    </div>
  );
}

function Room({ consultation, study }: Ready) {
  const { route } = useLocation();
  const back = () => route(`/consultations/${consultation.id}`);
  if (!study) return <Entry consultation={consultation} mayEnter={false} enter={async () => undefined} back={back} />;
  return <Visit consultation={consultation} study={study} back={back} />;
}

/** While devices are checked the viewer warms up and reads the first series, so that entering shows an image at once. */
function Visit({ consultation, study, back }: { consultation: Consultation; study: Study; back: () => void }) {
  const viewer = useViewer(study);
  const [session, setSession] = useState<RoomSession | null>(null);
  useEffect(() => void warmUp(), []);
  useEffect(() => () => session?.leave(), [session]);
  const enter = async (stream: MediaStream) => {
    const answer = await joinRoom(consultation.id);
    setSession(new RoomSession(consultation.id, answer, viewer, stream));
  };
  if (!session) return <Entry consultation={consultation} mayEnter enter={enter} back={back} />;
  return <Inside session={session} first={consultation} study={study} back={back} again={() => setSession(null)} />;
}
