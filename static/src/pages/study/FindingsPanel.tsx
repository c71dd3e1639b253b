import type { Finding, Review } from '../../api/types';
import type { Resource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { t } from '../../i18n';
import { FindingItem } from './FindingItem';

interface PanelProps {
  review: Resource<Review>;
  chosen: string | null;
  onChoose: (finding: string) => void;
  onAssessed: (finding: Finding) => void;
}

export function FindingsPanel({ review, ...props }: PanelProps) {
  return (
    <section class="card" data-testid="findings-panel">
      <h2>{t('review.title')}</h2>
      <Fetched resource={review}>{(data) => <Findings review={data} {...props} />}</Fetched>
    </section>
  );
}

function Findings({ review, chosen, onChoose, onAssessed }: Omit<PanelProps, 'review'> & { review: Review }) {
  return (
    <>
      <Jobs review={review} />
      <ul class="finding-list">
        {review.findings.map((finding) => (
          <FindingItem
            key={finding.finding_id}
            finding={finding}
            chosen={finding.finding_id === chosen}
            onChoose={onChoose}
            onAssessed={onAssessed}
          />
        ))}
      </ul>
      {review.findings.length > 0 && <p class="quiet-label">{t('review.not_a_diagnosis')}</p>}
    </>
  );
}

/** What the reviewers are doing, so that "no findings" is never confused with "not looked at yet". */
function Jobs({ review: { jobs, findings } }: { review: Review }) {
  if (jobs.length === 0) return <p class="quiet-label">{t('review.no_job')}</p>;
  return (
    <>
      {jobs.map((job) => (
        <p key={job.job_uid} class="quiet-label" data-testid={`review-job-${job.job_uid}`}>
          {job.model_name} {job.model_version}：{t(`review.job.${job.state}`)} {job.summary}
        </p>
      ))}
      {findings.length === 0 && jobs.every((job) => job.state === 'completed') && <p>{t('review.nothing_found')}</p>}
    </>
  );
}
