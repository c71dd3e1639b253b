/** The JSON of /api/v1 as it travels: names as in docs, times RFC 3339 in UTC, absent things null. */

export interface List<T> {
  items: T[];
  total: number;
}

export interface Hospital {
  code: string;
  name: string;
  city: string;
}

export type Role = 'doctor' | 'administrator';

export interface User {
  id: string;
  username: string;
  name: string;
  role: Role;
  title: string;
  specialty: string;
  hospital: Hospital | null;
  disabled?: boolean;
}

export interface ApiKey {
  id: string;
  label: string;
  prefix: string;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface AuditRecord {
  id: string;
  at: string;
  actor_kind: string;
  actor_id: string;
  actor_name: string;
  hospital: string | null;
  action: string;
  study_id: string | null;
  consultation_id: string | null;
  purpose: string;
  outcome: 'success' | 'failure';
  address: string;
}

export type ReviewState = 'pending' | 'running' | 'done' | 'failed';

export interface StudyRow {
  study_id: string;
  owner: string;
  owner_name: string;
  study_instance_uid: string;
  patient_id: string;
  issuer_of_patient_id: string;
  patient_name: string;
  patient_name_raw: string;
  patient_birth_date: string;
  patient_sex: string;
  patient_age: string;
  study_date: string;
  study_time: string;
  accession_number: string;
  study_description: string;
  modalities: string[];
  series_count: number;
  instance_count: number;
  size_bytes: number;
  updated_at: string;
  /** Where the viewer finds exactly this study: "/dicom-web/hospitals/WZ01". */
  dicomweb_root: string;
  review_state: ReviewState | null;
  open_findings: number;
}

export interface SeriesRow {
  series_instance_uid: string;
  modality: string;
  series_number: number | null;
  series_description: string;
  instance_count: number;
  body_part_examined: string;
}

export interface Study extends StudyRow {
  /** what the archive repaired or noticed, as its stable words */
  remarks: string[];
  series: SeriesRow[];
}

export type JobState =
  | 'scheduled'
  | 'delivered'
  | 'in_progress'
  | 'completed'
  | 'failed'
  | 'skipped'
  | 'expired'
  | 'superseded';

export interface ReviewJob {
  job_uid: string;
  model_name: string;
  model_version: string;
  vendor: string;
  state: JobState;
  completeness_basis: string;
  generation: number;
  updated_at: string;
  attempts: number;
  last_error: string;
  summary: string;
}

export interface Assessment {
  decision: 'accepted' | 'rejected';
  reason: string;
  by_name: string;
  at: string;
}

export interface Measurement {
  name: string;
  value: number;
  unit: string;
}

export interface Finding {
  finding_id: string;
  job_uid: string;
  model_name: string;
  model_version: string;
  series_instance_uid: string;
  sop_instance_uid: string;
  /** Counts from 1. */
  frame: number;
  label: string;
  label_code: string;
  probability: number | null;
  kind: 'point' | 'polyline' | 'circle' | 'ellipse' | 'image';
  /** Image coordinates, columns and rows; 0/0 is the outer corner of the first pixel. */
  points: [number, number][];
  measurements: Measurement[];
  description: string;
  assessment: Assessment | null;
}

export interface OpenFinding extends Finding {
  study_id: string;
  patient_name: string;
  owner_name: string;
}

export interface Review {
  jobs: ReviewJob[];
  findings: Finding[];
}

export type ConsultationState = 'requested' | 'accepted' | 'opined' | 'completed' | 'declined' | 'cancelled';

export type ConsultationAction =
  | 'accept'
  | 'decline'
  | 'cancel'
  | 'join'
  | 'write_opinion'
  | 'sign'
  | 'acknowledge'
  | 'print';

export type Urgency = 'ordinary' | 'urgent';

export interface Opinion {
  findings: string;
  conclusion: string;
  advice: string;
  version: number;
  saved_at: string | null;
  signed_at: string | null;
  signed_by: User | null;
}

/** The little that a worklist shows of a patient, also to those who may not see the study. */
export interface ConsultationPatient {
  name: string;
  sex: string;
  birth_date: string;
  age: string;
  patient_id_masked: string;
}

export interface Consultation {
  id: string;
  state: ConsultationState;
  urgency: Urgency;
  requesting_hospital: Hospital;
  requesting_doctor: User;
  invited_hospital: Hospital;
  expert: User | null;
  requested_specialty: string;
  requested_title: string;
  reason: string;
  purpose: string;
  summary: string;
  scheduled_at: string;
  created_at: string;
  accepted_at: string | null;
  declined_at: string | null;
  opined_at: string | null;
  closed_at: string | null;
  decline_reason: string | null;
  cancel_reason: string | null;
  handling: string | null;
  study: StudyRow | null;
  patient: ConsultationPatient;
  opinion: Opinion | null;
  /** What the signed-in person may do now; buttons come from here and nowhere else. */
  actions: ConsultationAction[];
}

export interface NewConsultation {
  study_id: string;
  invited_hospital: string;
  requested_specialty: string;
  requested_title: string;
  reason: string;
  purpose: string;
  summary: string;
  scheduled_at: string;
  urgency: Urgency;
}

export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

export interface JoinAnswer {
  ticket: string;
  signaling_url: string;
  room: string;
  ice_servers: IceServer[];
  consultation: Consultation;
}

export type Topic = 'consultations' | 'studies' | 'findings';

export interface Change {
  topic: Topic;
  /** "*": so much changed that the whole list is to be fetched. */
  id: string;
}
