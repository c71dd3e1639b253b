import { expect, it, vi } from 'vitest';

import type { EventSink } from '../api/events';
import { onChange, startLive } from './live';

let sink: EventSink;

vi.mock('../api/events', () => ({
  followChanges: (given: EventSink) => {
    sink = given;
    return () => undefined;
  },
}));

it('tells only those who follow the topic, until they let go', () => {
  startLive();
  const [studies, findings] = [vi.fn(), vi.fn()];
  const undo = onChange('studies', studies);
  onChange('findings', findings);
  sink.changed({ topic: 'studies', id: 'S1' });
  undo();
  sink.changed({ topic: 'studies', id: 'S2' });
  expect(studies.mock.calls).toEqual([['S1']]);
  expect(findings).not.toHaveBeenCalled();
});

it('says "anything" after a gap and when the server says so', () => {
  startLive();
  const listener = vi.fn();
  onChange('consultations', listener);
  sink.resync();
  sink.changed({ topic: 'consultations', id: '*' });
  expect(listener.mock.calls).toEqual([[null], [null]]);
});
