import { useState } from 'preact/hooks';

import { t } from '../i18n';
import { Dialog } from './Dialog';
import { Select, type Option, TextField } from './fields';
import { useAct } from './resource';
import { Refusal } from './States';

export interface FormField {
  name: string;
  label: string;
  type?: 'text' | 'password';
  options?: Option[];
  hint?: string;
  optional?: boolean;
  /** Words when the value will not do. */
  check?: (value: string) => string | undefined;
}

export type Values = Record<string, string>;

interface FormDialogProps {
  /** Prefix of the data-testid of the fields. */
  name: string;
  title: string;
  submit: string;
  fields: (values: Values) => FormField[];
  initial?: Values;
  act: (values: Values) => Promise<unknown>;
  onClose: () => void;
}

/** A short form in a dialog; closes when the act has succeeded. */
export function FormDialog({ name, title, submit, fields, initial = {}, act, onClose }: FormDialogProps) {
  const [values, setValues] = useState<Values>(initial);
  const [tried, setTried] = useState(false);
  const { busy, error, run } = useAct();
  const shown = fields(values);
  const errorOf = (field: FormField) => {
    const value = values[field.name]?.trim() ?? '';
    return !value && !field.optional ? t('form.required') : field.check?.(value);
  };
  const send = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (!shown.some(errorOf)) void run(() => act(values).then(onClose));
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={send} noValidate>
        {shown.map((field) => {
          const bound = {
            testid: `${name}-${field.name}`,
            label: field.label,
            hint: field.hint,
            required: !field.optional,
            value: values[field.name] ?? '',
            onChange: (value: string) => setValues({ ...values, [field.name]: value }),
            error: tried ? errorOf(field) : undefined,
          };
          return field.options ? (
            <Select key={field.name} {...bound} options={field.options} placeholder={t('form.choose')} />
          ) : (
            <TextField key={field.name} {...bound} type={field.type ?? 'text'} autocomplete="new-password" />
          );
        })}
        <Refusal error={error} />
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {t('action.back')}
          </button>
          <button type="submit" class="button primary" disabled={busy} data-testid={`${name}-submit`}>
            {submit}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
