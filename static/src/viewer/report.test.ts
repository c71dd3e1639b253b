import { describe, expect, it } from 'vitest';
import type { DicomJson } from './dicomJson';
import { reportLines } from './report';

const value = (...Value: unknown[]) => ({ Value });
const code = (meaning: string, word = 'X'): DicomJson => ({ '00080100': value(word), '00080104': value(meaning) });
const item = (type: string, name: string, parts: DicomJson = {}): DicomJson => ({
  '0040A040': value(type),
  '0040A043': value(code(name)),
  ...parts,
});

describe('a report', () => {
  const report: DicomJson = {
    '0040A043': value(code('Imaging Report')),
    '0040A730': value(
      item('TEXT', 'Finding', { '0040A160': value('结节 8 mm') }),
      item('CONTAINER', 'Measurements', {
        '0040A730': value(
          item('NUM', 'Diameter', { '0040A300': value({ '0040A30A': value('8.5'), '004008EA': value(code('millimeter', 'mm')) }) }),
          item('CODE', 'Side', { '0040A168': value(code('Right')) }),
          item('UIDREF', 'Tracking'),
          item('PNAME', 'Observer', { '0040A123': value({ Alphabetic: 'Li^Si', Ideographic: '李^四' }) }),
        ),
      }),
    ),
  };

  it('reads as questions and answers in their order and depth', () => {
    expect(reportLines(report)).toEqual([
      { depth: 0, name: 'Imaging Report', value: '' },
      { depth: 1, name: 'Finding', value: '结节 8 mm' },
      { depth: 1, name: 'Measurements', value: '' },
      { depth: 2, name: 'Diameter', value: '8.5 mm' },
      { depth: 2, name: 'Side', value: 'Right' },
      { depth: 2, name: 'Observer', value: '李 四' },
    ]);
  });

  it('is empty for other objects', () => {
    expect(reportLines({})).toEqual([]);
  });
});
