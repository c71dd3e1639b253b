/** Fetches the metadata of a series and keeps the frame lists of a study that were read already. */
import type { DicomJson } from './dicomJson';
import { withPalette } from './palette';
import { framesOf, type Frame } from './frames';

export type StudyRef = { study_id: string; study_instance_uid: string; dicomweb_root: string };

export class SeriesLoader {
  private readonly known = new Map<string, Promise<Frame[]>>();

  constructor(readonly study: StudyRef) {}

  frames(series_instance_uid: string): Promise<Frame[]> {
    const kept = this.known.get(series_instance_uid);
    if (kept) return kept;
    const fresh = this.fetch(series_instance_uid);
    this.known.set(series_instance_uid, fresh);
    // A failure is not kept: the next click tries again.
    fresh.catch(() => this.known.delete(series_instance_uid));
    return fresh;
  }

  forget(series_instance_uid: string): void {
    this.known.delete(series_instance_uid);
  }

  thumbnail(series_instance_uid: string): string {
    return `${this.url(series_instance_uid)}/thumbnail`;
  }

  private async fetch(series_instance_uid: string): Promise<Frame[]> {
    const reply = await fetch(`${this.url(series_instance_uid)}/metadata`, {
      credentials: 'same-origin',
      headers: { Accept: 'application/dicom+json' },
    });
    if (!reply.ok) throw new Error(`series metadata: HTTP ${reply.status}`);
    const instances = (await reply.json()) as DicomJson[];
    return framesOf(this.study.dicomweb_root, await Promise.all(instances.map(withPalette)));
  }

  private url(series_instance_uid: string): string {
    const { dicomweb_root, study_instance_uid } = this.study;
    return `${dicomweb_root}/studies/${study_instance_uid}/series/${series_instance_uid}`;
  }
}
