import { useRef } from 'preact/hooks';

import { t } from '../i18n';
import { useKeys } from './keys';

interface SearchBoxProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** "/" jumps here, Escape leaves again. */
export function SearchBox({ label, value, onChange }: SearchBoxProps) {
  const ref = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => ref.current?.select() });
  return (
    <input
      ref={ref}
      type="search"
      class="search"
      aria-label={label}
      placeholder={t('search.placeholder', { label })}
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      data-testid="search"
    />
  );
}
