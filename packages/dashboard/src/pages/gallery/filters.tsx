import { type RefObject, useEffect, useState } from 'react';
import { type GalleryFilter, useGalleryNames } from '../../api/gallery.ts';
import { Field } from '../../ui/field.tsx';

const MARKS = [
  ['', 'All pictures'],
  ['unrejected', 'Without rejected'],
  ['star', 'Starred'],
  ['none', 'Not marked'],
  ['reject', 'Rejected'],
] as const;

const TYPING_PAUSE_MS = 250;

/** What the gallery is narrowed to; `onChange` gets all of it anew. */
export function Filters(props: {
  readonly filter: GalleryFilter;
  readonly hasCallers: boolean;
  readonly onChange: (filter: GalleryFilter) => void;
  readonly search: RefObject<HTMLInputElement | null>;
}) {
  const { filter, hasCallers, onChange, search } = props;
  const routes = useGalleryNames('route');
  const callers = useGalleryNames('key', hasCallers);
  return (
    <search className="filters gallery-filters">
      <Field label="Search in prompts">
        {(control) => (
          <SearchInput
            control={control}
            input={search}
            value={filter.text ?? ''}
            onChange={(text) => onChange({ ...filter, text })}
          />
        )}
      </Field>
      <Choice
        label="Mark"
        options={MARKS}
        value={filter.mark ?? ''}
        onChange={(mark) => onChange({ ...filter, mark })}
      />
      <Choice
        label="Model"
        options={named('All models', routes.data, filter.model)}
        value={filter.model ?? ''}
        onChange={(model) => onChange({ ...filter, model })}
      />
      {hasCallers && (
        <Choice
          label="Key"
          options={named('All keys', callers.data, filter.caller)}
          value={filter.caller ?? ''}
          onChange={(caller) => onChange({ ...filter, caller })}
        />
      )}
    </search>
  );
}

function named(all: string, names: readonly string[] = [], chosen = ''): readonly (readonly [string, string])[] {
  const known = new Set([...names, ...(chosen === '' ? [] : [chosen])]);
  return [['', all], ...[...known].toSorted().map((name) => [name, name] as const)];
}

function Choice(props: {
  readonly label: string;
  readonly options: readonly (readonly [string, string])[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const { label, options, value, onChange } = props;
  return (
    <Field label={label}>
      {(control) => (
        <select {...control} value={value} onChange={({ target }) => onChange(target.value)}>
          {options.map(([id, text]) => (
            <option key={id} value={id}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Asks when typing pauses, and follows where the address changes otherwise. */
function SearchInput(props: {
  readonly control: { readonly id: string };
  readonly input: RefObject<HTMLInputElement | null>;
  readonly value: string;
  readonly onChange: (text: string) => void;
}) {
  const { control, input, value, onChange } = props;
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  });
  return (
    <input
      {...control}
      ref={input}
      type="search"
      placeholder="fox, winter…"
      aria-keyshortcuts="/"
      maxLength={200}
      value={typed}
      onChange={({ target }) => setTyped(target.value)}
    />
  );
}
