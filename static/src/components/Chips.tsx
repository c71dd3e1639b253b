interface Chip {
  name: string;
  label: string;
  count?: number;
}

interface ChipsProps {
  label: string;
  chips: Chip[];
  chosen: string;
  onChoose: (name: string) => void;
}

/** One filter of several, each with how many rows it would show. */
export function Chips({ label, chips, chosen, onChoose }: ChipsProps) {
  return (
    <div class="chips" role="group" aria-label={label}>
      {chips.map(({ name, label: words, count }) => (
        <button
          key={name}
          type="button"
          class="chip"
          aria-pressed={name === chosen}
          onClick={() => onChoose(name)}
          data-testid={`chip-${name}`}
        >
          {words}
          {count !== undefined && <span class="count">{count}</span>}
        </button>
      ))}
    </div>
  );
}
