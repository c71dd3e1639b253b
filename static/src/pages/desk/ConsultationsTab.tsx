import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';

import type { Consultation, List } from '../../api/types';
import { Chips } from '../../components/Chips';
import { useHeldRows } from '../../components/heldRows';
import type { Resource } from '../../components/resource';
import { SearchBox } from '../../components/SearchBox';
import { Empty, Fetched } from '../../components/States';
import { Table } from '../../components/Table';
import { t } from '../../i18n';
import { columnsFor } from './consultationColumns';
import { type ChipName, CHIPS, isChip, isOverdue, mentions, shows } from './filters';

export type Box = 'sent' | 'received';

interface TabProps {
  box: Box;
  resource: Resource<List<Consultation>>;
}

export function ConsultationsTab({ box, resource }: TabProps) {
  return <Fetched resource={resource}>{({ items }) => <Worklist box={box} items={items} />}</Fetched>;
}

const keyOf = ({ id }: Consultation) => id;

function toneOf(consultation: Consultation, now: Date, gone: boolean): string {
  if (gone) return 'row-gone';
  if (isOverdue(consultation, now)) return 'row-overdue';
  return consultation.urgency === 'urgent' && shows('open', consultation, now) ? 'row-urgent' : '';
}

function Worklist({ box, items }: { box: Box; items: Consultation[] }) {
  const { route, query, path } = useLocation();
  const [words, setWords] = useState('');
  const chip: ChipName = isChip(query.show) ? query.show : 'open';
  const now = new Date();
  const found = items.filter((item) => mentions(item, words));
  const matching = found.filter((item) => shows(chip, item, now));
  const { rows, fresh, gone, showFresh } = useHeldRows(`${chip} ${words}`, matching, items, keyOf);

  if (items.length === 0) return <NothingYet box={box} />;
  return (
    <>
      <div class="toolbar">
        <Chips
          label={t('desk.filter')}
          chosen={chip}
          onChoose={(name) => route(`${path}?show=${name}`, true)}
          chips={CHIPS.map((name) => ({
            name,
            label: t(`desk.chip.${name}`),
            count: found.filter((item) => shows(name, item, now)).length,
          }))}
        />
        <SearchBox label={t('desk.search_consultations')} value={words} onChange={setWords} />
      </div>
      {rows.length === 0 ? (
        <Empty title={t('desk.nothing_matches')}>
          <button type="button" class="button" onClick={() => (setWords(''), route(`${path}?show=all`, true))}>
            {t('desk.show_all')}
          </button>
        </Empty>
      ) : (
        <Table
          name="desk"
          label={t(`desk.${box}`)}
          columns={columnsFor(box, now)}
          rows={rows}
          keyOf={keyOf}
          onOpen={({ id }) => route(`/consultations/${id}`)}
          tone={(row) => toneOf(row, now, gone.has(row.id))}
          fresh={fresh}
          onShowFresh={showFresh}
        />
      )}
    </>
  );
}

function NothingYet({ box }: { box: Box }) {
  return (
    <Empty title={t(`desk.empty.${box}`)}>
      <p>{t(`desk.empty.${box}_words`)}</p>
      {box === 'sent' && (
        <a class="button primary" href="/desk/studies">
          {t('desk.empty.sent_action')}
        </a>
      )}
    </Empty>
  );
}
