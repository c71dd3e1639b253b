import type { Finding } from '../../api/types';

/** UCUM codes whose written form differs from what a doctor reads. */
const UNITS: Record<string, string> = { '1': '', mm2: 'mm²', mm3: 'mm³', "[hnsf'U]": 'HU' };

/** "直径 8.2 mm · 体积 310 mm³" */
export function measurementWords({ measurements }: Pick<Finding, 'measurements'>): string {
  return measurements.map(({ name, value, unit }) => `${name} ${readable(value)} ${UNITS[unit] ?? unit}`.trim()).join(' · ');
}

function readable(value: number): number {
  return Number(value.toPrecision(3));
}
