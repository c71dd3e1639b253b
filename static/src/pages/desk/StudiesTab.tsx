import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';

import { listStudies } from '../../api/endpoints';
import type { List, StudyRow } from '../../api/types';
import { useHeldRows } from '../../components/heldRows';
import { useResource } from '../../components/resource';
import { SearchBox } from '../../components/SearchBox';
import { Empty, Fetched } from '../../components/States';
import { Table } from '../../components/Table';
import { t } from '../../i18n';
import { useChanges } from '../../state/live';
import { studyColumns } from './studyColumns';

const PAGE_ROWS = 50;
const TYPING_PAUSE_MS = 250;

/** The value once it has rested for a moment. */
function useRested<T>(value: T): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}

export function StudiesTab() {
  const [words, setWords] = useState('');
  const [page, setPage] = useState(0);
  const asked = useRested(words.trim());
  const view = `${asked} ${page}`;
  const studies = useResource(view, () => listStudies(asked, PAGE_ROWS, page * PAGE_ROWS));
  useChanges(['studies', 'findings'], studies.reload);
  const look = (value: string) => {
    setWords(value);
    setPage(0);
  };
  return (
    <>
      <div class="toolbar">
        <SearchBox label={t('desk.search_studies')} value={words} onChange={look} />
        <Pager page={page} total={studies.data?.total ?? 0} onTurn={setPage} />
        <a class="button toolbar-end" href="/upload">
          {t('nav.upload')}
        </a>
      </div>
      <Fetched resource={studies}>{(list) => <Studies view={view} list={list} searched={asked !== ''} />}</Fetched>
    </>
  );
}

const keyOf = (row: StudyRow) => row.study_id;

function Studies({ view, list, searched }: { view: string; list: List<StudyRow>; searched: boolean }) {
  const { route } = useLocation();
  const { rows, fresh, gone, showFresh } = useHeldRows(view, list.items, list.items, keyOf);
  if (rows.length === 0) return searched ? <Empty title={t('desk.nothing_matches')} /> : <NoStudies />;
  return (
    <Table
      name="study"
      label={t('desk.studies')}
      columns={studyColumns()}
      rows={rows}
      keyOf={keyOf}
      onOpen={(row) => route(`/studies/${row.study_id}`)}
      tone={(row) => (gone.has(row.study_id) ? 'row-gone' : '')}
      fresh={fresh}
      onShowFresh={showFresh}
    />
  );
}

function NoStudies() {
  return (
    <Empty title={t('desk.empty.studies')}>
      <p>{t('desk.empty.studies_words')}</p>
      <a class="button primary" href="/upload">
        {t('nav.upload')}
      </a>
    </Empty>
  );
}

function Pager({ page, total, onTurn }: { page: number; total: number; onTurn: (page: number) => void }) {
  if (total <= PAGE_ROWS) return null;
  const last = Math.ceil(total / PAGE_ROWS) - 1;
  return (
    <nav class="pager" aria-label={t('pager.label')}>
      <button type="button" class="button" disabled={page === 0} onClick={() => onTurn(page - 1)}>
        {t('pager.back')}
      </button>
      <span>{t('pager.place', { page: page + 1, pages: last + 1, total })}</span>
      <button type="button" class="button" disabled={page >= last} onClick={() => onTurn(page + 1)}>
        {t('pager.on')}
      </button>
    </nav>
  );
}
