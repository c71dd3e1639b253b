/** What the keys that radiologists know do; also the list that `?` shows. */
import type { Bindings, KeyWords } from '../components/keys';
import type { Viewer } from './viewer';
import type { Tool } from './viewerModel';

const ZOOM_STEP = 1.2;
const PAGE = 10;

const TOOLS: Record<string, Tool> = { w: 'window', s: 'scroll', g: 'pan', z: 'zoom', m: 'length', a: 'arrow', e: 'ellipse', d: 'freehand' };

type Abilities = { mayMark: boolean; mayPoint: boolean };

export function viewerBindings(viewer: Viewer, { mayMark, mayPoint }: Abilities): Bindings {
  const bindings: Bindings = {
    ArrowUp: () => viewer.userScroll(-1),
    ArrowDown: () => viewer.userScroll(1),
    PageUp: () => viewer.userScroll(-PAGE),
    PageDown: () => viewer.userScroll(PAGE),
    Home: () => viewer.userIndex(0),
    End: () => viewer.userIndex(viewer.frames.value.length - 1),
    ' ': (event) => viewer.userNextSeries(event.shiftKey ? -1 : 1),
    '+': () => viewer.userZoom(ZOOM_STEP),
    '=': () => viewer.userZoom(ZOOM_STEP),
    '-': () => viewer.userZoom(1 / ZOOM_STEP),
    r: () => viewer.userReset(),
    c: () => viewer.userPlay(),
    i: () => viewer.userTurn({ invert: !viewer.presentation.value.invert }),
    Escape: () => cancel(viewer),
    Delete: () => removeSelected(viewer),
    Backspace: () => removeSelected(viewer),
  };
  for (let digit = 1; digit <= 9; digit += 1) bindings[String(digit)] = () => preset(viewer, String(digit));
  for (const [key, tool] of Object.entries(TOOLS)) {
    if (mayMark || !'maed'.includes(key)) bindings[key] = () => void (viewer.tool.value = tool);
  }
  if (mayPoint) bindings['p'] = () => togglePointer(viewer);
  return withCapitals(bindings);
}

/** With caps lock on the keys do the same. */
function withCapitals(bindings: Bindings): Bindings {
  const letters = Object.entries(bindings).filter(([key]) => /^[a-z]$/.test(key));
  return { ...bindings, ...Object.fromEntries(letters.map(([key, act]) => [key.toUpperCase(), act])) };
}

function preset(viewer: Viewer, key: string): void {
  const found = viewer.presets().find((one) => one.key === key);
  if (found) viewer.userWindow(found.window);
}

function cancel(viewer: Viewer): void {
  viewer.draft.value = null;
  viewer.selected.value = null;
  viewer.tool.value = 'window';
  viewer.onPointer(null);
}

function removeSelected(viewer: Viewer): void {
  const { value } = viewer.selected;
  viewer.selected.value = null;
  if (value) viewer.onMarkRemoved(value);
}

function togglePointer(viewer: Viewer): void {
  const on = viewer.tool.value === 'pointer';
  viewer.tool.value = on ? 'window' : 'pointer';
  if (on) viewer.onPointer(null);
}

const KEYS: KeyWords[] = [
  ['↑ ↓', 'viewer.keys.scroll'],
  ['PgUp PgDn', 'viewer.keys.page'],
  ['Space', 'viewer.keys.next_series'],
  ['1–9', 'viewer.keys.presets'],
  ['+ −', 'viewer.keys.zoom'],
  ['W S G Z', 'viewer.keys.tools'],
  ['M A E D', 'viewer.keys.marks'],
  ['Del', 'viewer.keys.remove'],
  ['C', 'viewer.keys.play'],
  ['I', 'viewer.keys.invert'],
  ['R', 'viewer.keys.reset'],
  ['Esc', 'viewer.keys.escape'],
];

const ROOM_KEYS: KeyWords[] = [
  ['P', 'viewer.keys.pointer'],
  ['F', 'viewer.keys.follow'],
];

/** What the keys do; some only where somebody else looks on. */
export function keyList(inRoom: boolean): KeyWords[] {
  return inRoom ? [...KEYS, ...ROOM_KEYS] : KEYS;
}
