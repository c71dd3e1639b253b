import { useRoute } from 'preact-iso';

import { getStudy, listHospitals } from '../../api/endpoints';
import { PatientBar, patientOfStudy } from '../../components/PatientBar';
import { useResource } from '../../components/resource';
import { Fetched } from '../../components/States';
import { useTitle } from '../../components/title';
import { t } from '../../i18n';
import { NewConsultationForm } from './NewConsultationForm';
import { studyWords } from '../desk/consultationColumns';

export function NewConsultationPage() {
  const id = useRoute().query.study ?? '';
  const needs = useResource(id, async () => {
    const [study, hospitals] = await Promise.all([getStudy(id), listHospitals()]);
    return { study, hospitals: hospitals.items.filter(({ code }) => code !== study.owner) };
  });
  useTitle(t('invitation.new'));
  return (
    <Fetched resource={needs}>
      {({ study, hospitals }) => (
        <div class="page">
          <PatientBar patient={patientOfStudy(study)} />
          <NewConsultationForm studyId={study.study_id} study={studyWords(study)} hospitals={hospitals} />
        </div>
      )}
    </Fetched>
  );
}
