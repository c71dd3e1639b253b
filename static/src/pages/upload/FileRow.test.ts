import { beforeEach, expect, it } from 'vitest';

import { ApiError } from '../../api/http';
import { switchLanguage } from '../../i18n';
import { outcomeWords } from './FileRow';
import type { Item } from './queue';

const item = (change: Partial<Item>) =>
  ({ status: 'stored', skip: null, words: [], error: null, ...change }) as Item;

beforeEach(() => switchLanguage('zh'));

it('says in words what became of a file', () => {
  expect(outcomeWords(item({}))).toBe('已保存');
  expect(outcomeWords(item({ status: 'repaired', words: ['charset_repaired'] }))).toBe('已保存：中文编码已自动修正');
  expect(outcomeWords(item({ status: 'refused', words: ['truncated'] }))).toBe('未保存：文件不完整，请重新导出');
  expect(outcomeWords(item({ status: 'skipped', skip: 'not_dicom' }))).toBe('已跳过：不是 DICOM 文件');
  expect(outcomeWords(item({ status: 'failed', error: new ApiError('network', 0, '') }))).toContain('连不上服务器');
});

it('leaves out words of the archive that it does not know', () => {
  expect(outcomeWords(item({ status: 'remarked', words: ['brand_new', 'patient_id_missing'] }))).toBe(
    '已保存：缺少患者编号',
  );
});
