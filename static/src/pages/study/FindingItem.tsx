import { useState } from 'preact/hooks';

import { assessFinding } from '../../api/endpoints';
import type { Assessment, Finding } from '../../api/types';
import { AskOnce } from '../../components/AskOnce';
import { useAct } from '../../components/resource';
import { Refusal } from '../../components/States';
import { dateTime, percent } from '../../format';
import { t } from '../../i18n';
import { measurementWords } from './findingWords';

interface ItemProps {
  finding: Finding;
  chosen: boolean;
  onChoose: (finding: string) => void;
  onAssessed: (finding: Finding) => void;
}

export function FindingItem({ finding, chosen, onChoose, onAssessed }: ItemProps) {
  const { finding_id: id, assessment } = finding;
  return (
    <li class={`finding${chosen ? ' finding-chosen' : ''}`} data-testid={`finding-${id}`}>
      <button type="button" class="finding-name" aria-pressed={chosen} onClick={() => onChoose(id)}>
        <strong>{finding.label}</strong> <span class="badge badge-ai">AI {percent(finding.probability)}</span>
      </button>
      <p class="quiet-label">
        {[measurementWords(finding), finding.frame > 1 && t('review.frame', { value: finding.frame })].filter(Boolean).join(' · ')}
      </p>
      {finding.description && <p>{finding.description}</p>}
      {assessment ? <Assessed assessment={assessment} /> : <Assess finding={finding} onAssessed={onAssessed} />}
    </li>
  );
}

function Assessed({ assessment }: { assessment: Assessment }) {
  return (
    <p class={`assessment assessment-${assessment.decision}`}>
      {t(`review.${assessment.decision}`)} · {assessment.by_name} {dateTime(assessment.at)}
      {assessment.reason && `：${assessment.reason}`}
    </p>
  );
}

function Assess({ finding, onAssessed }: Pick<ItemProps, 'finding' | 'onAssessed'>) {
  const [rejecting, setRejecting] = useState(false);
  const { busy, error, run } = useAct();
  const id = finding.finding_id;
  const reject = async (reason: string) => onAssessed(await assessFinding(id, 'rejected', reason));
  return (
    <div class="finding-actions">
      <button
        type="button"
        class="button"
        disabled={busy}
        onClick={() => void run(async () => onAssessed(await assessFinding(id, 'accepted')))}
        data-testid={`finding-accept-${id}`}
      >
        {t('review.accept')}
      </button>
      <button
        type="button"
        class="button"
        disabled={busy}
        onClick={() => setRejecting(true)}
        data-testid={`finding-reject-${id}`}
      >
        {t('review.reject')}
      </button>
      <Refusal error={error} />
      {rejecting && (
        <AskOnce
          question={{
            name: 'finding-reject',
            title: t('review.reject_title'),
            words: t('review.reject_words', { label: finding.label }),
            confirm: t('review.reject'),
            text: t('review.reject_reason'),
            act: reject,
          }}
          onClose={() => setRejecting(false)}
        />
      )}
    </div>
  );
}
