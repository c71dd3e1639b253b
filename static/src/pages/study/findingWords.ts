import type { Finding } from '../../api/types';

/** "直径 8.2 mm · 体积 310 mm³" */
export function measurementWords({ measurements }: Pick<Finding, 'measurements'>): string {
  return measurements.map(({ name, value, unit }) => `${name} ${Number(value.toPrecision(3))} ${unit}`).join(' · ');
}
