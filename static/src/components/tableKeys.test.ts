import { describe, expect, it } from 'vitest';

import { tableMove } from './tableKeys';

describe('the keys of a table', () => {
  it.each([
    ['j', -1, 0],
    ['j', 0, 1],
    ['j', 2, 2],
    ['ArrowDown', 1, 2],
    ['k', 2, 1],
    ['k', 0, 0],
    ['k', -1, 0],
    ['ArrowUp', 1, 0],
  ])('%s at row %i of three selects row %i', (key, selected, index) => {
    expect(tableMove(key, selected, 3)).toEqual({ kind: 'select', index });
  });

  it('Enter opens the selected row only', () => {
    expect(tableMove('Enter', 1, 3)).toEqual({ kind: 'open', index: 1 });
    expect(tableMove('Enter', -1, 3)).toBeNull();
  });

  it('do nothing in an empty table, and other keys nothing at all', () => {
    expect(tableMove('j', -1, 0)).toBeNull();
    expect(tableMove('x', 1, 3)).toBeNull();
  });
});
