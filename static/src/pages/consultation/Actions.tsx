import { opinionPdfUrl } from '../../api/endpoints';
import type { Consultation, ConsultationAction } from '../../api/types';
import { t } from '../../i18n';
import { keepDraft } from '../../state/draft';
import { me } from '../../state/session';
import { draftName, letterOf } from './invitationForm';
import type { Asked } from './questions';
import { arrange } from './timeline';

interface ActionsProps {
  consultation: Consultation;
  onAsk: (asked: Asked) => void;
}

/** The next action as the one primary button, at the far right; what else may be done beside it. */
export function Actions({ consultation, onAsk }: ActionsProps) {
  const { next, others } = arrange(consultation.actions);
  return (
    <div class="actions">
      {others.map((action) => (
        <Action key={action} action={action} id={consultation.id} tone="" onAsk={onAsk} />
      ))}
      {next ? (
        <Action action={next} id={consultation.id} tone="primary" onAsk={onAsk} />
      ) : (
        <span class="quiet-label">{t(`consultation.nothing_to_do.${consultation.state}`)}</span>
      )}
      <AskAgain consultation={consultation} />
    </div>
  );
}

/** After a refusal the patient still needs an expert: the same letter, for somebody else. */
function AskAgain({ consultation }: { consultation: Consultation }) {
  const { state, study, requesting_hospital: own } = consultation;
  const over = state === 'declined' || state === 'cancelled';
  if (!over || !study || me().hospital?.code !== own.code) return null;
  return (
    <a
      class="button primary"
      href={`/consultations/new?study=${study.study_id}`}
      onClick={() => keepDraft(draftName(study.study_id), letterOf(consultation))}
      data-testid="consult-ask-again"
    >
      {t('consultation.ask_again')}
    </a>
  );
}

interface ActionProps {
  action: ConsultationAction;
  id: string;
  tone: string;
  onAsk: (asked: Asked) => void;
}

function Action({ action, id, tone, onAsk }: ActionProps) {
  const words = t(`consultation.action.${action}`);
  const look = { class: `button ${tone}`, 'data-testid': `consult-${action}` };
  if (action === 'join') {
    return (
      <a {...look} href={`/consultations/${id}/room`}>
        {words}
      </a>
    );
  }
  if (action === 'print') {
    return (
      <a {...look} href={opinionPdfUrl(id)} target="_blank" rel="noopener">
        {words}
      </a>
    );
  }
  return (
    <button type="button" {...look} onClick={() => onAsk(action as Asked)}>
      {words}
    </button>
  );
}
