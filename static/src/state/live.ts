/** One stream of changes for the whole page; whoever shows a topic fetches again when it changes. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { followChanges, type LinkState } from '../api/events';
import type { Change, Topic } from '../api/types';

type Listener = (id: string | null) => void;

export const linkState = signal<LinkState>('connecting');

const listeners = new Map<Topic, Set<Listener>>();

function tell({ topic, id }: Change): void {
  for (const listener of listeners.get(topic) ?? []) listener(id === '*' ? null : id);
}

function tellAll(): void {
  for (const ofTopic of listeners.values()) for (const listener of ofTopic) listener(null);
}

/** Runs while a person is signed in; returns its undo. */
export function startLive(): () => void {
  return followChanges({ changed: tell, resync: tellAll, state: (state) => (linkState.value = state) });
}

/** `listener` gets the id that changed, or null after a gap in which anything may have changed. */
export function onChange(topic: Topic, listener: Listener): () => void {
  const ofTopic = listeners.get(topic) ?? new Set();
  listeners.set(topic, ofTopic.add(listener));
  return () => ofTopic.delete(listener);
}

export function useChanges(topics: Topic[], listener: Listener): void {
  useEffect(() => {
    const undo = topics.map((topic) => onChange(topic, listener));
    return () => undo.forEach((off) => off());
  });
}
