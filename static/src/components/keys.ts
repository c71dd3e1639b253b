/** Keyboard shortcuts that stay out of the way of typing and of open dialogs. */

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export type Bindings = Record<string, (event: KeyboardEvent) => void>;

const TYPING = 'input, textarea, select, [contenteditable=true]';
const ACTIVATED = 'a[href], button, summary';

/** Whether a key belongs to the page rather than to the control that has the focus. */
export function isShortcut(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  const target = event.target as Element | null;
  if (target?.closest?.(TYPING) || document.querySelector('dialog[open]')) return false;
  return !(event.key === 'Enter' && target?.closest?.(ACTIVATED));
}

/** The newest layer that binds a key gets it: a viewer's "?" goes before the page's. */
const layers: { current: Bindings }[] = [];

function pressed(event: KeyboardEvent): void {
  const action = layers.findLast(({ current }) => event.key in current)?.current[event.key];
  if (!action || !isShortcut(event)) return;
  event.preventDefault();
  action(event);
}

/** Binds keys (by `KeyboardEvent.key`) while the component lives; `under`: below every other layer. */
export function useKeys(bindings: Bindings, place: 'over' | 'under' = 'over'): void {
  const layer = useRef(bindings);
  layer.current = bindings;
  useEffect(() => {
    if (layers.length === 0) window.addEventListener('keydown', pressed);
    if (place === 'over') layers.push(layer);
    else layers.unshift(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      if (layers.length === 0) window.removeEventListener('keydown', pressed);
    };
  }, []);
}

/** A key as people read it, and the message key of what it does. */
export type KeyWords = [key: string, words: string];

/** The keys of the part that is open now, for the page's list of all keys. */
export const keysOfPart = signal<KeyWords[]>([]);

export function useListedKeys(keys: KeyWords[]): void {
  useEffect(() => {
    keysOfPart.value = keys;
    return () => void (keysOfPart.value = []);
  }, []);
}
