/** A list of any length: only the rows in sight are in the page. */

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** The same as --row-height in tokens.css. */
export const ROW_PX = 34;
const SPARE_ROWS = 10;

/** First and last+1 row to draw. */
export function windowOf(scrollTop: number, height: number, count: number): [first: number, end: number] {
  const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - SPARE_ROWS);
  return [Math.min(first, count), Math.min(count, Math.ceil((scrollTop + height) / ROW_PX) + SPARE_ROWS)];
}

interface VirtualListProps<T> {
  label: string;
  rows: readonly T[];
  keyOf: (row: T) => string | number;
  draw: (row: T) => ComponentChildren;
}

export function VirtualList<T>({ label, rows, keyOf, draw }: VirtualListProps<T>) {
  const frame = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ top: 0, height: 1000 });
  const look = () => setPlace({ top: frame.current!.scrollTop, height: frame.current!.clientHeight });
  const [first, end] = windowOf(place.top, place.height, rows.length);

  useLayoutEffect(() => {
    const sizes = new ResizeObserver(look);
    sizes.observe(frame.current!);
    return () => sizes.disconnect();
  }, []);
  useLayoutEffect(() => {
    frame.current!.style.setProperty('--rows-before', String(first));
    frame.current!.style.setProperty('--rows-after', String(rows.length - end));
  });

  return (
    <div ref={frame} class="virtual-list" role="list" aria-label={label} tabIndex={0} onScroll={look}>
      <div class="virtual-before" />
      {rows.slice(first, end).map((row) => (
        <div class="virtual-row" role="listitem" key={keyOf(row)}>
          {draw(row)}
        </div>
      ))}
      <div class="virtual-after" />
    </div>
  );
}
