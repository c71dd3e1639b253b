/** Keeps the rows being read where they are while the list below them changes. */

import { useState } from 'preact/hooks';

export interface Held<T> {
  /** The rows shown, in the order first shown, each in its newest form. */
  rows: T[];
  /** How many rows would come in on top. */
  fresh: number;
  /** Keys of rows that are shown but no longer belong here. */
  gone: ReadonlySet<string>;
}

/**
 * `shown`: keys on the screen; `matching`: what the filter gives now; `all`: everything known, where a row that left
 * the filter is still found; `previous`: the rows last shown, for those that are nowhere any more.
 */
export function hold<T>(shown: string[], matching: T[], all: T[], previous: T[], keyOf: (row: T) => string): Held<T> {
  const newest = new Map([...previous, ...all, ...matching].map((row) => [keyOf(row), row]));
  const belonging = new Set(matching.map(keyOf));
  const onScreen = new Set(shown);
  return {
    rows: shown.flatMap((key) => newest.get(key) ?? []),
    fresh: matching.filter((row) => !onScreen.has(keyOf(row))).length,
    gone: new Set(shown.filter((key) => !belonging.has(key))),
  };
}

interface Screen<T> {
  view: string;
  keys: string[];
  rows: T[];
}

/** `view` names what is looked at (tab, filters): when it changes, the screen starts anew. */
export function useHeldRows<T>(view: string, matching: T[], all: T[], keyOf: (row: T) => string) {
  const anew = (): Screen<T> => ({ view, keys: matching.map(keyOf), rows: matching });
  const [screen, setScreen] = useState(anew);
  const current = screen.view !== view || screen.keys.length === 0 ? anew() : screen;
  const held = hold(current.keys, matching, all, current.rows, keyOf);
  if (current !== screen && (current.keys.length > 0 || screen.view !== view)) setScreen(current);
  return { ...held, showFresh: () => setScreen(anew()) };
}
