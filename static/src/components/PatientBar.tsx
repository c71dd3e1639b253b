import type { Consultation, StudyRow } from '../api/types';
import { age, date, sex } from '../format';
import { t } from '../i18n';

export interface PatientInHand {
  name: string;
  sex: string;
  age: string;
  birthDate: string;
  hospital: string;
  patientId: string;
  issuer: string;
}

export function patientOfStudy(study: StudyRow): PatientInHand {
  return {
    name: study.patient_name,
    sex: study.patient_sex,
    age: study.patient_age,
    birthDate: study.patient_birth_date,
    hospital: study.owner_name,
    patientId: study.patient_id,
    issuer: study.issuer_of_patient_id,
  };
}

/** With the study when one may see it, else with the little that a worklist shows. */
export function patientOfConsultation({ study, patient, requesting_hospital }: Consultation): PatientInHand {
  if (study) return patientOfStudy(study);
  return {
    name: patient.name,
    sex: patient.sex,
    age: patient.age,
    birthDate: patient.birth_date,
    hospital: requesting_hospital.name,
    patientId: patient.patient_id_masked,
    issuer: '',
  };
}

/** The patient in hand, at the same place of every screen. */
export function PatientBar({ patient }: { patient: PatientInHand }) {
  return (
    <section class="patient-bar" aria-label={t('patient.bar')} data-testid="patient-bar">
      <strong class="patient-name">{patient.name || t('patient.unnamed')}</strong>
      <span>{sex(patient.sex)}</span>
      <span>{age(patient.age, patient.birthDate)}</span>
      {patient.birthDate && (
        <span>
          <span class="quiet-label">{t('patient.birth_date')}</span> {date(patient.birthDate)}
        </span>
      )}
      <span>
        <span class="quiet-label">{t('patient.hospital')}</span> {patient.hospital}
      </span>
      {patient.patientId && (
        <span>
          <span class="quiet-label">{t('patient.id')}</span> {patient.patientId}
          {patient.issuer && <span class="quiet-label"> @ {patient.issuer}</span>}
        </span>
      )}
    </section>
  );
}
