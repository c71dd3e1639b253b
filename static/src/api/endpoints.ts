/** One function for each operation of /api/v1. */

import { get, patch, post, put, remove } from './http';
import type {
  ApiKey,
  AuditRecord,
  Consultation,
  Finding,
  Hospital,
  JoinAnswer,
  List,
  NewConsultation,
  OpenFinding,
  Opinion,
  Review,
  Role,
  Study,
  StudyRow,
  User,
} from './types';

const id = encodeURIComponent;

/** The most that the server gives at once; the desk filters these by itself. */
const CONSULTATIONS_LIMIT = 500;
const FINDINGS_LIMIT = 200;

type Signed = { user: User };

export const signIn = (username: string, password: string) => post<Signed>('/session', { username, password });
export const whoAmI = () => get<Signed>('/session');
export const signOut = () => remove('/session');

export interface Setup {
  token: string;
  username: string;
  name: string;
  password: string;
}

export const setUp = (setup: Setup) => post<Signed>('/setup', setup);

export const listHospitals = () => get<List<Hospital>>('/hospitals');
export const addHospital = (hospital: Hospital) => post<Hospital>('/hospitals', hospital);
export const listApiKeys = (code: string) => get<List<ApiKey>>(`/hospitals/${id(code)}/api-keys`);
export const addApiKey = (code: string, label: string) =>
  post<{ id: string; key: string }>(`/hospitals/${id(code)}/api-keys`, { label });
export const revokeApiKey = (code: string, key: string) => remove(`/hospitals/${id(code)}/api-keys/${id(key)}`);

export interface NewUser {
  username: string;
  name: string;
  password: string;
  role: Role;
  hospital_code: string | null;
  title: string;
  specialty: string;
}

export const listUsers = () => get<List<User>>('/users');
export const addUser = (user: NewUser) => post<User>('/users', user);
export const changeUser = (user: string, change: { disabled?: boolean; password?: string }) =>
  patch<User>(`/users/${id(user)}`, change);
export const listDoctors = (hospital: string) => get<List<User>>('/doctors', { hospital });

export interface AuditQuery {
  limit?: number;
  before?: string;
  action?: string;
  actor?: string;
}

export const listAudit = (query: AuditQuery) => get<List<AuditRecord>>('/audit', { ...query });

export const listStudies = (q: string, limit: number, offset: number) =>
  get<List<StudyRow>>('/studies', { q, limit, offset });
export const getStudy = (study: string) => get<Study>(`/studies/${id(study)}`);
export const getReview = (study: string) => get<Review>(`/studies/${id(study)}/review`);
export const listOpenFindings = () => get<List<OpenFinding>>('/findings', { state: 'unreviewed', limit: FINDINGS_LIMIT });
export const assessFinding = (finding: string, decision: 'accepted' | 'rejected', reason = '') =>
  post<Finding>(`/findings/${id(finding)}/assessment`, { decision, reason });

export const listConsultations = (box: 'sent' | 'received') =>
  get<List<Consultation>>('/consultations', { box, limit: CONSULTATIONS_LIMIT });
export const getConsultation = (consultation: string) => get<Consultation>(`/consultations/${id(consultation)}`);
export const requestConsultation = (invitation: NewConsultation) => post<Consultation>('/consultations', invitation);
export const acceptConsultation = (consultation: string) =>
  post<Consultation>(`/consultations/${id(consultation)}/accept`);
export const declineConsultation = (consultation: string, reason: string) =>
  post<Consultation>(`/consultations/${id(consultation)}/decline`, { reason });
export const cancelConsultation = (consultation: string, reason: string) =>
  post<Consultation>(`/consultations/${id(consultation)}/cancel`, { reason });
export const acknowledgeOpinion = (consultation: string, handling: string) =>
  post<Consultation>(`/consultations/${id(consultation)}/acknowledge`, { handling });

export type OpinionText = Pick<Opinion, 'findings' | 'conclusion' | 'advice' | 'version'>;

export const saveOpinion = (consultation: string, text: OpinionText) =>
  put<Opinion>(`/consultations/${id(consultation)}/opinion`, text);
export const signOpinion = (consultation: string, version: number, password: string) =>
  post<Consultation>(`/consultations/${id(consultation)}/opinion/sign`, { version, password });
export const opinionPdfUrl = (consultation: string) => `/api/v1/consultations/${id(consultation)}/opinion.pdf`;
export const joinRoom = (consultation: string) => post<JoinAnswer>(`/consultations/${id(consultation)}/join`);
