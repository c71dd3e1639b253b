import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';

import { getReview } from '../../api/endpoints';
import type { Finding, Review, Study } from '../../api/types';
import { Lazy } from '../../components/Lazy';
import { PatientBar, patientOfStudy } from '../../components/PatientBar';
import { type Resource, useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { useChanges } from '../../state/live';
import { me } from '../../state/session';
import { Preview } from '../../viewer/Preview';
import { FindingsPanel } from './FindingsPanel';
import { loadViewer, openStudy } from './opening';
import { StudyHead } from './StudyHead';

export function StudyPage() {
  const id = useRoute().params.id!;
  const study = useResource(id, () => openStudy(id));
  const review = useResource(id, () => getReview(id));
  useChanges(['studies'], (changed) => {
    if (changed !== null && changed !== id) return;
    study.reload();
    review.reload();
  });
  useChanges(['findings'], review.reload);
  useTitle(t('study.title'));
  return <Fetched resource={study}>{(found) => <Reading study={found} review={review} />}</Fetched>;
}

function Reading({ study, review }: { study: Study; review: Resource<Review> }) {
  const [chosen, choose] = useState(useRoute().query.finding ?? null);
  const findings = review.data?.findings ?? [];
  const assessed = (changed: Finding) => {
    if (!review.data) return;
    const merged = findings.map((finding) => (finding.finding_id === changed.finding_id ? changed : finding));
    review.replace({ ...review.data, findings: merged });
  };
  return (
    <div class="page page-reading">
      <PatientBar patient={patientOfStudy(study)} />
      <StudyHead study={study} mayInvite={me().hospital?.code === study.owner} />
      <div class="reading-area">
        <div class="reading-viewer" data-testid="study-viewer">
          <Lazy
            name="viewer"
            load={loadViewer}
            with={{ study, findings, focus: chosen }}
            meanwhile={<Preview study_id={study.study_id} />}
          />
        </div>
        <aside class="reading-side">
          <FindingsPanel review={review} chosen={chosen} onChoose={choose} onAssessed={assessed} />
        </aside>
      </div>
    </div>
  );
}
