import { describe, expect, it } from 'vitest';

import type { Consultation } from '../../api/types';
import { consultation } from '../consultation/consultation.fixture';
import { CHIPS, isChip, isOverdue, mentions, shows } from './filters';

const before = new Date('2026-11-23T00:00:00Z');
const after = new Date('2026-11-25T00:00:00Z');

const chipsOf = (change: Partial<Consultation>, now: Date) =>
  CHIPS.filter((chip) => shows(chip, consultation(change), now));

describe('the chips', () => {
  it('show each consultation where a doctor looks for it', () => {
    expect(chipsOf({}, before)).toEqual(['open', 'requested', 'all']);
    expect(chipsOf({ state: 'accepted', urgency: 'urgent' }, after)).toEqual([
      'open',
      'accepted',
      'urgent',
      'overdue',
      'all',
    ]);
    expect(chipsOf({ state: 'declined', urgency: 'urgent' }, after)).toEqual(['closed', 'all']);
  });

  it('are known by name', () => {
    expect(isChip('overdue')).toBe(true);
    expect(isChip('nonsense')).toBe(false);
    expect(isChip(undefined)).toBe(false);
  });
});

describe('overdue', () => {
  it.each([
    ['requested', true],
    ['accepted', true],
    ['opined', false],
    ['completed', false],
    ['cancelled', false],
  ] as const)('when the time has passed and the state is %s: %s', (state, overdue) => {
    expect(isOverdue(consultation({ state }), after)).toBe(overdue);
    expect(isOverdue(consultation({ state }), before)).toBe(false);
  });
});

describe('the search', () => {
  it('looks at patient, hospitals and doctors, whatever the case', () => {
    expect(mentions(consultation(), ' wz01 ')).toBe(true);
    expect(mentions(consultation(), '小东')).toBe(true);
    expect(mentions(consultation(), '李')).toBe(false);
    expect(mentions(consultation(), '')).toBe(true);
  });
});
