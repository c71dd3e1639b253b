/** Labelled form controls; an error is said in words below the control and tied to it. */

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  testid: string;
  error?: string | undefined;
  hint?: string | undefined;
  required?: boolean;
}

interface FrameProps extends Pick<FieldProps, 'label' | 'error' | 'hint' | 'required'> {
  id: string;
  children: ComponentChildren;
}

function Frame({ id, label, error, hint, required, children }: FrameProps) {
  return (
    <div class={`field${error ? ' field-wrong' : ''}`}>
      <label for={id}>
        {label}
        {required && (
          <span class="field-required" aria-hidden="true">
            *
          </span>
        )}
      </label>
      {children}
      {error ? (
        <p class="field-error" id={`${id}-note`}>
          {error}
        </p>
      ) : (
        hint && (
          <p class="field-hint" id={`${id}-note`}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

function attributes(id: string, { testid, error, hint, required }: FieldProps) {
  return {
    id,
    'data-testid': testid,
    'aria-invalid': Boolean(error),
    ...(required && { 'aria-required': true }),
    ...((error || hint) && { 'aria-describedby': `${id}-note` }),
  };
}

interface TextFieldProps extends FieldProps {
  type?: 'text' | 'password' | 'datetime-local';
  autocomplete?: string;
  autofocus?: boolean;
  suggestions?: string[];
}

export function TextField(props: TextFieldProps) {
  const id = useId();
  const { type = 'text', suggestions } = props;
  const input = {
    ...attributes(id, props),
    autocomplete: props.autocomplete ?? 'off',
    value: props.value,
    onInput: (event: { currentTarget: HTMLInputElement }) => props.onChange(event.currentTarget.value),
    ...(props.autofocus && { autofocus: true }),
  };
  return (
    <Frame id={id} {...props}>
      {type === 'text' && <input type="text" {...input} {...(suggestions && { list: `${id}-list` })} />}
      {type === 'password' && <input type="password" {...input} />}
      {type === 'datetime-local' && <input type="datetime-local" {...input} />}
      {suggestions && <Suggestions id={`${id}-list`} values={suggestions} />}
    </Frame>
  );
}

function Suggestions({ id, values }: { id: string; values: string[] }) {
  return (
    <datalist id={id}>
      {values.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </datalist>
  );
}

export function TextArea(props: FieldProps & { rows?: number }) {
  const id = useId();
  return (
    <Frame id={id} {...props}>
      <textarea
        {...attributes(id, props)}
        rows={props.rows ?? 3}
        value={props.value}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
    </Frame>
  );
}

export interface Option {
  value: string;
  label: string;
}

export function Select(props: FieldProps & { options: Option[]; placeholder?: string }) {
  const id = useId();
  return (
    <Frame id={id} {...props}>
      <select
        {...attributes(id, props)}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        {props.placeholder && <option value="">{props.placeholder}</option>}
        {props.options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </Frame>
  );
}
