import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';

import { getConsultation } from '../../api/endpoints';
import type { Consultation } from '../../api/types';
import { AskOnce } from '../../components/AskOnce';
import { StateBadge, UrgentBadge } from '../../components/Badges';
import { PatientBar, patientOfConsultation } from '../../components/PatientBar';
import { useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { useChanges } from '../../state/live';
import { Actions } from './Actions';
import { Invitation } from './Invitation';
import { OpinionText } from './OpinionText';
import { type Asked, questionOf } from './questions';
import { StudyCard } from './StudyCard';
import { Timeline } from './Timeline';

export function ConsultationPage() {
  const id = useRoute().params.id!;
  const consultation = useResource(id, () => getConsultation(id));
  useChanges(['consultations'], (changed) => {
    if (changed === null || changed === id) consultation.reload();
  });
  useTitle(t('consultation.title'));
  return (
    <Fetched resource={consultation}>
      {(row) => <Detail consultation={row} onChanged={consultation.replace} />}
    </Fetched>
  );
}

interface DetailProps {
  consultation: Consultation;
  onChanged: (after: Consultation) => void;
}

function Detail({ consultation, onChanged }: DetailProps) {
  const [asked, ask] = useState<Asked | null>(null);
  const { state, urgency, opinion, handling } = consultation;
  return (
    <div class="page">
      <PatientBar patient={patientOfConsultation(consultation)} />
      <header class="page-head">
        <h1>{t('consultation.title')}</h1>
        <StateBadge state={state} />
        <UrgentBadge urgency={urgency} />
        <Actions consultation={consultation} onAsk={ask} />
      </header>
      <div class="columns">
        <div class="column-main">
          <Invitation consultation={consultation} />
          {opinion?.signed_at && <OpinionText opinion={opinion} />}
          {handling && (
            <section class="card" data-testid="consult-handling">
              <h2>{t('consultation.handling')}</h2>
              <p class="prose">{handling}</p>
            </section>
          )}
        </div>
        <aside class="column-side">
          <Timeline consultation={consultation} />
          <StudyCard consultation={consultation} />
        </aside>
      </div>
      {asked && (
        <AskOnce key={asked} question={questionOf(asked, consultation, onChanged)} onClose={() => ask(null)} />
      )}
    </div>
  );
}
