import { describe, expect, it } from 'vitest';

import { hold } from './heldRows';

interface Row {
  id: string;
  state: string;
}

const row = (id: string, state = 'new'): Row => ({ id, state });
const keyOf = ({ id }: Row) => id;

describe('rows being read', () => {
  it('stay in their order and place when newer ones arrive on top', () => {
    const latest = [row('c'), row('b'), row('a')];
    const held = hold(['b', 'a'], latest, latest, [], keyOf);
    expect(held.rows.map(keyOf)).toEqual(['b', 'a']);
    expect(held.fresh).toBe(1);
  });

  it('show their newest form', () => {
    const latest = [row('a', 'accepted')];
    expect(hold(['a'], latest, latest, [row('a')], keyOf).rows).toEqual([row('a', 'accepted')]);
  });

  it('stay, marked, when they leave the filter', () => {
    const held = hold(['a', 'b'], [row('b')], [row('a', 'closed'), row('b')], [], keyOf);
    expect(held.rows).toEqual([row('a', 'closed'), row('b')]);
    expect([...held.gone]).toEqual(['a']);
  });

  it('stay as last seen when they vanish altogether', () => {
    const held = hold(['a'], [], [], [row('a')], keyOf);
    expect(held.rows).toEqual([row('a')]);
    expect([...held.gone]).toEqual(['a']);
  });
});
