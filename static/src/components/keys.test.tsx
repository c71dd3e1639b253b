import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, expect, it, vi } from 'vitest';

import { type Bindings, useKeys } from './keys';

function Bound({ keys, place }: { keys: Bindings; place?: 'over' | 'under' }) {
  useKeys(keys, place);
  return null;
}

const press = (init: KeyboardEventInit) => window.dispatchEvent(new KeyboardEvent('keydown', init));

afterEach(() => render(null, document.body));

it('gives a key to the layer on top only', async () => {
  const [page, viewer] = [vi.fn(), vi.fn()];
  await act(() =>
    render(
      <>
        <Bound keys={{ '?': viewer }} />
        <Bound keys={{ '?': page, x: page }} place="under" />
      </>,
      document.body,
    ),
  );
  press({ key: '?' });
  expect(viewer).toHaveBeenCalledOnce();
  expect(page).not.toHaveBeenCalled();
  press({ key: 'x' });
  expect(page).toHaveBeenCalledOnce();
});

it('leaves combinations to the browser', async () => {
  const bound = vi.fn();
  await act(() => render(<Bound keys={{ j: bound }} />, document.body));
  press({ key: 'j', ctrlKey: true });
  expect(bound).not.toHaveBeenCalled();
});

it('lets go when the component goes', async () => {
  const bound = vi.fn();
  await act(() => render(<Bound keys={{ j: bound }} />, document.body));
  await act(() => render(null, document.body));
  press({ key: 'j' });
  expect(bound).not.toHaveBeenCalled();
});
