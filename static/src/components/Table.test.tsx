import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Table } from './Table';

const rows = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
let place: HTMLElement;

const show = (onOpen: (row: { id: string }) => void, fresh = 0, onShowFresh = () => undefined as void) =>
  act(() =>
    render(
      <Table
        name="desk"
        label="worklist"
        columns={[{ name: 'id', title: 'ID', cell: ({ id }) => id }]}
        rows={rows}
        keyOf={({ id }) => id}
        onOpen={onOpen}
        fresh={fresh}
        onShowFresh={onShowFresh}
      />,
      place,
    ),
  );

const press = (key: string, target: EventTarget = document.body) =>
  act(() => void target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));

const selected = () => place.querySelector('[aria-selected=true]')?.getAttribute('data-testid');

beforeEach(() => {
  place = document.body.appendChild(document.createElement('div'));
});

afterEach(() => {
  render(null, place);
  document.body.replaceChildren();
});

it('selects with j and k and opens with Enter', async () => {
  const open = vi.fn();
  await show(open);
  for (const key of ['j', 'j', 'j', 'k', 'Enter']) await press(key);
  expect(selected()).toBe('desk-row-b');
  expect(open).toHaveBeenCalledWith({ id: 'b' });
});

it('opens with a click', async () => {
  const open = vi.fn();
  await show(open);
  await act(() => place.querySelector<HTMLElement>('[data-testid=desk-row-c]')!.click());
  expect(open).toHaveBeenCalledWith({ id: 'c' });
});

it('leaves the keys alone while somebody types', async () => {
  await show(vi.fn());
  const field = document.body.appendChild(document.createElement('input'));
  await press('j', field);
  expect(selected()).toBeUndefined();
});

it('leaves the keys alone while a dialog is open', async () => {
  await show(vi.fn());
  document.body.appendChild(document.createElement('dialog')).setAttribute('open', '');
  await press('j');
  expect(selected()).toBeUndefined();
});

it('announces new rows and shows them when asked', async () => {
  const showFresh = vi.fn();
  await show(vi.fn(), 2, showFresh);
  const button = place.querySelector<HTMLElement>('[role=status] [data-testid=fresh-rows]')!;
  expect(button.textContent).toContain('2');
  await act(() => button.click());
  expect(showFresh).toHaveBeenCalledOnce();
});
