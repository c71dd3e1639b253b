/** What the page of a study fetches: all at once when the app starts with it, else when it is shown. */
import { getStudy } from '../../api/endpoints';
import type { Study } from '../../api/types';
import { fetchEarly } from '../../viewer/early';

const PAGE = /^\/studies\/([^/]+)$/;

const opening = new Map<string, Promise<Study>>();

export const loadViewer = async () => (await import('../../viewer/StudyViewer')).StudyViewer;

/** Asks for everything that a study's page at this address will need, before it is known who is signed in. */
export function openEarly(path: string): void {
  const id = PAGE.exec(path)?.[1];
  if (!id) return;
  // Whoever shows the page asks again and says what failed.
  loadViewer().catch(() => undefined);
  const study = getStudy(id);
  opening.set(id, study);
  study.then(fetchEarly, () => opening.delete(id));
}

/** The study, once from what was asked for early. */
export async function openStudy(id: string): Promise<Study> {
  const early = opening.get(id);
  opening.delete(id);
  const study = await (early ?? getStudy(id));
  fetchEarly(study);
  return study;
}
