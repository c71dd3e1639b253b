import type { Consultation } from '../../api/types';

const hospital = (code: string) => ({ code, name: code, city: '' });

const doctor = (name: string, code: string) => ({
  id: name,
  username: name,
  name,
  role: 'doctor' as const,
  title: '主任医师',
  specialty: '放射科',
  hospital: hospital(code),
});

/** A consultation for tests: requested yesterday, to be held tomorrow. */
export function consultation(change: Partial<Consultation> = {}): Consultation {
  return {
    id: 'C1',
    state: 'requested',
    urgency: 'ordinary',
    requesting_hospital: hospital('WZ01'),
    requesting_doctor: doctor('林', 'WZ01'),
    invited_hospital: hospital('SH01'),
    expert: null,
    requested_specialty: '放射科',
    requested_title: '主任医师',
    reason: '',
    purpose: '',
    summary: '',
    scheduled_at: '2026-11-24T08:00:00Z',
    created_at: '2026-11-22T08:00:00Z',
    accepted_at: null,
    declined_at: null,
    opined_at: null,
    closed_at: null,
    decline_reason: null,
    cancel_reason: null,
    handling: null,
    study: null,
    patient: { name: '王小东', sex: 'M', birth_date: '', age: '', patient_id_masked: '' },
    opinion: null,
    actions: [],
    ...change,
  };
}
