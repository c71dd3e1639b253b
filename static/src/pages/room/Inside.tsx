/** The room itself. Everything here keeps working while the link is away; the image is never taken down. */
import { useEffect, useState } from 'preact/hooks';

import { getConsultation, getReview, getStudy } from '../../api/endpoints';
import type { Consultation, Finding, Review, Study } from '../../api/types';
import { type Resource, useResource } from '../../components/resource';
import { t } from '../../i18n';
import { mayI } from '../../shared/roomState';
import { useChanges } from '../../state/live';
import { ViewerFrame } from '../../viewer/StudyViewer';
import { ControlPill, LinkBar, Toast } from './Control';
import { Head } from './Head';
import { MediaTools } from './MediaTools';
import type { RoomSession } from './session';
import { Side } from './Side';

type InsideProps = { session: RoomSession; first: Consultation; study: Study; back: () => void; again: () => void };

export function Inside({ session, first, study, back, again }: InsideProps) {
  const consultation = useResource(first.id, () => getConsultation(first.id));
  const review = useResource(study.study_id, () => getReview(study.study_id));
  const fresh = useResource(study.study_id, () => getStudy(study.study_id));
  useRefetching(session, consultation, review, fresh);
  const { ended } = session.client.link.value;
  if (ended) return <Ended sentence={ended} back={back} again={again} />;
  const now = consultation.data ?? first;
  return (
    <>
      <Head session={session} consultation={now} back={back} />
      <Body session={session} consultation={now} replace={consultation.replace} review={review} study={fresh.data ?? study} />
    </>
  );
}

/** Facts outside the room are fetched again when the room or the event stream says that they changed. */
function useRefetching(session: RoomSession, consultation: Resource<Consultation>, review: Resource<Review>, study: Resource<Study>): void {
  const { notice } = session.client.state.value;
  useChanges(['consultations'], () => consultation.reload());
  useChanges(['findings', 'studies'], () => review.reload());
  useChanges(['studies'], () => study.reload());
  useEffect(() => {
    if (!notice) return;
    if (notice.topic === 'findings') review.reload();
    else consultation.reload();
  }, [notice?.count]);
  useEffect(() => {
    if (study.data) session.viewer.updateSeries(study.data.series);
  }, [study.data]);
}

type BodyProps = {
  session: RoomSession;
  consultation: Consultation;
  replace: (changed: Consultation) => void;
  review: Resource<Review>;
  study: Study;
};

function Body({ session, consultation, replace, review, study }: BodyProps) {
  const [focus, setFocus] = useState<string | null>(null);
  const findings = review.data?.findings ?? [];
  const jump = (id: string) => {
    setFocus(id);
    const finding = findings.find((one) => one.finding_id === id);
    if (finding) void session.viewer.userJump(finding.series_instance_uid, finding.sop_instance_uid, finding.frame);
  };
  return (
    <div class="room-body">
      <RoomViewer session={session} study={study} findings={findings} focus={focus} />
      <Side session={session} consultation={consultation} replace={replace} review={review} focus={focus} jump={jump} />
    </div>
  );
}

type RoomViewerProps = { session: RoomSession; study: Study; findings: Finding[]; focus: string | null };

function RoomViewer({ session, study, findings, focus }: RoomViewerProps) {
  const state = session.client.state.value;
  const pointing = mayI(state, 'point')
    ? { pointers: state.pointers, nameOf: (id: string) => session.nameOf(id), colorOf: (id: string) => session.colorOf(id) }
    : null;
  return (
    <main class="room-viewer">
      <ViewerFrame
        viewer={session.viewer}
        study={study}
        findings={findings}
        focus={focus}
        color={session.colorOf(state.me)}
        pointing={pointing}
        mayMark={mayI(state, 'mark')}
        mayRemove={(id) => session.mayRemove(id)}
        keys={{ f: () => session.toggleFollow(), F: () => session.toggleFollow() }}
        ownHelp
        tools={<MediaTools session={session} />}
      >
        <LinkBar session={session} />
        <ControlPill session={session} />
        <Toast session={session} />
      </ViewerFrame>
    </main>
  );
}

/** After these there is nothing to enter again. */
const FOR_GOOD = ['room.closed.over', 'room.closed.removed'];

function Ended({ sentence, back, again }: { sentence: string; back: () => void; again: () => void }) {
  const final = FOR_GOOD.includes(sentence);
  return (
    <main class="room-ended" data-testid="room-ended">
      <h1>{t('room.closed.title')}</h1>
      <p>{t(sentence)}</p>
      <footer class="room-entry-foot">
        <button type="button" class={`button ${final ? 'primary' : ''}`} onClick={back} data-testid="room-back">
          {t('room.back_to_consultation')}
        </button>
        {!final && (
          <button type="button" class="button primary" onClick={again} data-testid="room-again">
            {t('room.closed.reload')}
          </button>
        )}
      </footer>
    </main>
  );
}
