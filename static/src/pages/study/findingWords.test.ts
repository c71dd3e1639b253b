import { expect, test } from 'vitest';

import { measurementWords } from './findingWords';

test('measurements are written in the units a doctor reads', () => {
  const measurements = [
    { name: '直径', value: 8.24, unit: 'mm' },
    { name: '体积', value: 310.6, unit: 'mm3' },
    { name: '平均密度', value: -103, unit: "[hnsf'U]" },
    { name: '启发式评分', value: 0.96, unit: '1' },
  ];
  expect(measurementWords({ measurements })).toBe('直径 8.24 mm · 体积 311 mm³ · 平均密度 -103 HU · 启发式评分 0.96');
});
