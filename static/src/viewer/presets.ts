/** Window presets on the keys 1–9, by modality. Values are the usual ones of reading rooms, in Hounsfield units for CT. */

export type Window = [center: number, width: number];
export type Preset = { key: string; label: string; window: Window };

const CT: [string, Window][] = [
  ['viewer.preset.lung', [-600, 1500]],
  ['viewer.preset.mediastinum', [40, 400]],
  ['viewer.preset.bone', [400, 1800]],
  ['viewer.preset.brain', [40, 80]],
  ['viewer.preset.abdomen', [50, 350]],
  ['viewer.preset.liver', [60, 160]],
  ['viewer.preset.angio', [300, 600]],
  ['viewer.preset.stroke', [35, 35]],
];

/** Other modalities have no absolute scale: their presets are multiples of the file's own window. */
const RELATIVE: [string, number, number][] = [
  ['viewer.preset.soft', 1, 1.5],
  ['viewer.preset.hard', 1, 0.6],
  ['viewer.preset.bright', 0.7, 0.8],
  ['viewer.preset.dark', 1.4, 1.3],
];

/** The presets of a modality; the last digit in use always gives back the file's own window. */
export function presetsFor(modality: string, own: Window): Preset[] {
  const [center, width] = own;
  const named: [string, Window][] =
    modality === 'CT' ? CT : RELATIVE.map(([label, c, w]) => [label, [center * c, width * w]]);
  const all: [string, Window][] = [...named, ['viewer.preset.own', own]];
  return all.map(([label, window], index) => ({ key: String(index + 1), label, window }));
}
