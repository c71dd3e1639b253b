import { describe, expect, it } from 'vitest';

import { consultation } from './consultation.fixture';
import { arrange, timeline } from './timeline';

const shape = (change: Parameters<typeof consultation>[0]) =>
  timeline(consultation(change)).map(({ name, place }) => `${name} ${place}`);

describe('the timeline', () => {
  it('waits for acceptance after the request', () => {
    expect(shape({})).toEqual(['requested done', 'accepted now', 'opined ahead', 'completed ahead']);
  });

  it('waits for the requesting side after the opinion', () => {
    const change = { state: 'opined', accepted_at: 'a', opined_at: 'o' } as const;
    expect(shape(change)).toEqual(['requested done', 'accepted done', 'opined done', 'completed now']);
  });

  it('is all done when completed', () => {
    expect(shape({ state: 'completed' }).every((step) => step.endsWith('done'))).toBe(true);
  });

  it('ends with the refusal', () => {
    expect(shape({ state: 'declined', declined_at: 'd' })).toEqual(['requested done', 'declined done']);
  });

  it('ends with the cancellation, after what had happened', () => {
    const change = { state: 'cancelled', accepted_at: 'a', closed_at: 'c' } as const;
    expect(shape(change)).toEqual(['requested done', 'accepted done', 'cancelled done']);
  });
});

describe('the actions', () => {
  it('have one next among them', () => {
    expect(arrange(['accept', 'decline'])).toEqual({ next: 'accept', others: ['decline'] });
    expect(arrange(['join', 'write_opinion', 'sign', 'cancel'])).toEqual({ next: 'join', others: ['cancel'] });
    expect(arrange(['join', 'acknowledge', 'print'])).toEqual({ next: 'acknowledge', others: ['join', 'print'] });
  });

  it('never make a refusal the next one', () => {
    expect(arrange(['cancel'])).toEqual({ next: null, others: ['cancel'] });
  });
});
