/** The one worklist table: j/k or arrows select, Enter opens, so does a click. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { t } from '../i18n';
import { useKeys } from './keys';
import { tableMove } from './tableKeys';

export interface Column<T> {
  name: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  /** Left out on narrow screens. */
  wideOnly?: boolean;
}

interface TableProps<T> {
  /** Prefix of the rows' data-testid: "<name>-row-<key>". */
  name: string;
  label: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  onOpen: (row: T) => void;
  tone?: (row: T) => string;
  fresh?: number;
  onShowFresh?: () => void;
}

export function Table<T>(props: TableProps<T>) {
  const { rows, keyOf, onOpen } = props;
  const [selectedKey, select] = useState<string | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const selected = rows.findIndex((row) => keyOf(row) === selectedKey);

  const press = (event: KeyboardEvent) => {
    const move = tableMove(event.key, selected, rows.length);
    if (move?.kind === 'open') onOpen(rows[move.index]!);
    if (move?.kind === 'select') select(keyOf(rows[move.index]!));
  };
  useKeys({ j: press, k: press, ArrowDown: press, ArrowUp: press, Enter: press });
  useEffect(() => {
    const row = body.current?.querySelector<HTMLElement>('[aria-selected=true]');
    row?.scrollIntoView({ block: 'nearest' });
    row?.focus({ preventScroll: true });
  }, [selectedKey]);

  return (
    <div class="table-place">
      <FreshRows count={props.fresh ?? 0} onShow={props.onShowFresh} />
      <div class="table-frame">
        <table class="table" role="grid" aria-label={props.label}>
          <thead>
            <tr>
              {props.columns.map((column) => (
                <th key={column.name} scope="col" class={columnClass(column)}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            {rows.map((row) => (
              <Row key={keyOf(row)} row={row} selected={keyOf(row) === selectedKey} onSelect={select} {...props} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface RowProps<T> extends TableProps<T> {
  row: T;
  selected: boolean;
  onSelect: (key: string) => void;
}

function Row<T>({ row, selected, columns, keyOf, onOpen, onSelect, tone, name }: RowProps<T>) {
  const open = () => {
    onSelect(keyOf(row));
    onOpen(row);
  };
  return (
    <tr
      class={`row ${tone?.(row) ?? ''}`}
      aria-selected={selected}
      tabIndex={selected ? 0 : -1}
      data-testid={`${name}-row-${keyOf(row)}`}
      onClick={open}
    >
      {columns.map((column) => (
        <td key={column.name} class={columnClass(column)}>
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}

const columnClass = <T,>(column: Column<T>) => `col-${column.name}${column.wideOnly ? ' wide-only' : ''}`;

/** Always in the page, so that a screen reader hears it change; takes no room until there is something to say. */
function FreshRows({ count, onShow }: { count: number; onShow: (() => void) | undefined }) {
  return (
    <div class="fresh-rows" role="status">
      {count > 0 && (
        <button type="button" class="button fresh" onClick={onShow} data-testid="fresh-rows">
          {t('desk.fresh', { value: count })}
        </button>
      )}
    </div>
  );
}
