import { describe, expect, it } from 'vitest';

import type { User } from '../../api/types';
import { candidates, choices, emptyForm, errorsOf, letterOf, toInvitation } from './invitationForm';

const now = new Date(2026, 10, 23, 14, 20);
const full = {
  ...emptyForm(now),
  invited_hospital: 'SH01',
  requested_specialty: ' 放射科 ',
  requested_title: '主任医师',
  reason: '性质待定',
  purpose: '定性',
  summary: '58 岁男性',
};
const doctor = (name: string, specialty: string, title: string) => ({ name, specialty, title }) as User;
const doctors = [doctor('陈', '放射科', '主任医师'), doctor('周', '胸外科', '副主任医师'), doctor('吴', '放射科', '主治医师')];

describe('the invitation', () => {
  it('keeps its letter, not its addressee and time, when it is written again', () => {
    expect(letterOf(full)).toEqual({ reason: '性质待定', purpose: '定性', summary: '58 岁男性', urgency: 'ordinary' });
  });

  it('starts with a time that is still to come', () => {
    expect(emptyForm(now).scheduled_at).toBe('2026-11-23T16:00');
  });

  it('names every field that is missing', () => {
    expect(Object.keys(errorsOf(emptyForm(now), now))).toEqual([
      'invited_hospital',
      'requested_specialty',
      'requested_title',
      'reason',
      'purpose',
      'summary',
    ]);
  });

  it('does not take blanks, a past time or a text that is too long', () => {
    expect(errorsOf({ ...full, reason: '  ' }, now)).toEqual({ reason: 'invitation.missing.reason' });
    expect(errorsOf({ ...full, scheduled_at: '2026-11-23T14:00' }, now)).toEqual({ scheduled_at: 'invitation.past' });
    expect(errorsOf({ ...full, purpose: 'x'.repeat(2001) }, now)).toEqual({ purpose: 'invitation.too_long' });
  });

  it('is sent trimmed, with its time in UTC', () => {
    expect(errorsOf(full, now)).toEqual({});
    expect(toInvitation('S1', full)).toMatchObject({
      study_id: 'S1',
      requested_specialty: '放射科',
      scheduled_at: new Date(2026, 10, 23, 16, 0).toISOString(),
    });
  });
});

describe('whom to ask', () => {
  it('offers the titles within the chosen specialty', () => {
    expect(choices(doctors, '放射科').titles.toSorted()).toEqual(['主任医师', '主治医师']);
    expect(choices(doctors, '').specialties).toHaveLength(2);
  });

  it('shows who would fit', () => {
    const form = { ...full, requested_specialty: '放射科', requested_title: '主任医师' };
    expect(candidates(doctors, form).map(({ name }) => name)).toEqual(['陈']);
  });
});
