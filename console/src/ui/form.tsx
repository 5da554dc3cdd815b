import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { query, setQuery } from '../router.ts';

interface FieldProps {
  readonly label: string;
  readonly children: ComponentChildren;
}

export function Field({ label, children }: FieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
    </label>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly of: readonly string[];
  /** What the empty choice is called; without it there is none. */
  readonly any?: string;
  readonly onPick: (value: string) => void;
}

export function Choice({ label, value, of, any, onPick }: ChoiceProps) {
  return (
    <Field label={label}>
      <select value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        {any === undefined ? null : <option value="">{any}</option>}
        {of.map((one) => (
          <option key={one} value={one}>
            {one.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** A filter that stands in the address: links and saved views carry it. */
export function ChoiceFilter({ name, label, of }: Filter & { readonly of: readonly string[] }) {
  const value = query.value.get(name) ?? '';
  return (
    <Choice
      label={label}
      value={value}
      of={of}
      any="any"
      onPick={(picked) => setQuery({ [name]: picked })}
    />
  );
}

interface Filter {
  readonly name: string;
  readonly label: string;
}

/** The same for a text: taken when it is left, or by Enter. */
export function TextFilter({
  name,
  label,
  placeholder = '',
}: Filter & { readonly placeholder?: string }) {
  const stored = query.value.get(name) ?? '';
  const [text, setText] = useState(stored);
  useEffect(() => setText(stored), [stored]);
  const take = (): void => {
    if (text.trim() !== stored) setQuery({ [name]: text.trim() });
  };
  return (
    <Field label={label}>
      <input
        type="search"
        value={text}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === 'Enter') take();
        }}
      />
    </Field>
  );
}

/** A day and time of the reader, as the API has it. */
export function TimeFilter({ name, label }: Filter) {
  const stored = query.value.get(name) ?? '';
  return (
    <Field label={label}>
      <input
        type="datetime-local"
        step="1"
        value={localOf(stored)}
        onChange={(event) => {
          const { value } = event.currentTarget;
          setQuery({ [name]: value === '' ? '' : new Date(value).toISOString() });
        }}
      />
    </Field>
  );
}

function localOf(instant: string): string {
  const date = new Date(instant);
  if (instant === '' || Number.isNaN(date.getTime())) return '';
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
