import { describe, expect, it } from 'vitest';

import { ROW_PX, windowOf } from './VirtualList';

describe('the rows in sight', () => {
  it('begin at the top with a few to spare', () => {
    expect(windowOf(0, ROW_PX * 20, 5000)).toEqual([0, 30]);
  });

  it('move with the scrolling and stay few', () => {
    const [first, end] = windowOf(ROW_PX * 1000, ROW_PX * 20, 5000);
    expect([first, end]).toEqual([990, 1030]);
  });

  it('end with the list', () => {
    expect(windowOf(ROW_PX * 4990, ROW_PX * 20, 5000)).toEqual([4980, 5000]);
  });

  it('are none of a list that became short', () => {
    expect(windowOf(ROW_PX * 4990, ROW_PX * 20, 3)).toEqual([3, 3]);
  });
});
