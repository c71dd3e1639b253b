/** What the page of a study fetches: all at once when the app starts with it, else when it is shown. */
import { getStudy } from '../../api/endpoints';
import type { Study } from '../../api/types';
import { fetchEarly } from '../../viewer/early';

const PAGE = /^\/studies\/([^/]+)$/;
/** Longer than the answers take; then the viewer starts without them. */
const PATIENCE_MS = 1500;

const opening = new Map<string, Promise<Study>>();
let asked: Promise<unknown> = Promise.resolve();
let waker: Worker | null = null;

/** Asks for everything that a study's page at this address will need, before it is known who is signed in. */
export function openEarly(path: string): void {
  const id = PAGE.exec(path)?.[1];
  if (!id) return;
  waker ??= new Worker(new URL('./wakeGraphics.ts', import.meta.url), { type: 'module' });
  const study = getStudy(id);
  opening.set(id, study);
  // Whoever shows the page asks again and says what failed.
  const all = study.then(fetchEarly, () => opening.delete(id));
  asked = Promise.race([all, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

/** The viewer's code has come with the page (study.html), but starting it blocks the page: first all else is asked for. */
export async function loadViewer() {
  await asked;
  return (await import('../../viewer/StudyViewer')).StudyViewer;
}

/** The study, once from what was asked for early. */
export async function openStudy(id: string): Promise<Study> {
  const early = opening.get(id);
  opening.delete(id);
  const study = await (early ?? getStudy(id));
  void fetchEarly(study);
  return study;
}
