/** Fetching for a page: loading, ready or failed, and fetching again without losing what is shown. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Resource<T> {
  data: T | null;
  error: unknown;
  reload: () => void;
  /** Puts in an answer that arrived by another way, e.g. from an action. */
  replace: (data: T) => void;
}

type Known<T> = { key: string; data: T | null; error: unknown };

/** `key` names what is fetched: a new key starts empty; `reload` keeps the old data until the new is there. */
export function useResource<T>(key: string, load: () => Promise<T>): Resource<T> {
  const [known, setKnown] = useState<Known<T>>({ key, data: null, error: null });
  const turn = useRef(0);
  const latest = useRef(load);
  latest.current = load;

  const reload = useCallback(() => {
    const mine = ++turn.current;
    const settle = (change: Partial<Known<T>>) => {
      if (mine !== turn.current) return;
      setKnown((old) => ({ key, data: old.key === key ? old.data : null, error: null, ...change }));
    };
    latest.current().then(
      (data) => settle({ data }),
      (error: unknown) => settle({ error }),
    );
  }, [key]);

  useEffect(() => {
    reload();
    return () => void turn.current++;
  }, [reload]);

  const replace = (data: T) => {
    turn.current++;
    setKnown({ key, data, error: null });
  };
  const mine = known.key === key;
  return { data: mine ? known.data : null, error: mine ? known.error : null, reload, replace };
}

/** Runs one act at a time and remembers why it failed. */
export function useAct() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}
