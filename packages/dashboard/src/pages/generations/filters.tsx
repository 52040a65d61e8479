import { type RefObject, useEffect, useState } from 'react';
import type { GenerationFilter } from '../../api/generations.ts';
import { usePictureModels } from '../../api/models.ts';
import { go, href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';

const STATUSES = ['pending', 'processing', 'completed', 'failed', 'canceled'];
const TYPING_MS = 300;

export const FILTERS = [
  'text',
  'status',
  'makes',
  'model',
  'target',
  'code',
  'caller',
  'unknown',
  'request_id',
] as const;
type Name = (typeof FILTERS)[number];

/** The filter as it stands in the address. */
export function filterIn(query: URLSearchParams): GenerationFilter {
  const given = [...FILTERS, 'after'].flatMap((name) => {
    const value = query.get(name);
    return value === null || value === '' ? [] : [[name, value]];
  });
  return Object.fromEntries(given) as GenerationFilter;
}

/** A change begins at the newest again, and leaves no step back in the browser. */
function change(filter: GenerationFilter, name: Name, value: string): void {
  const { after: _, ...rest } = filter;
  go(href('generations', undefined, { ...rest, [name]: value }), { replace: true });
}

export function Filters(props: {
  readonly filter: GenerationFilter;
  readonly first: RefObject<HTMLInputElement | null>;
}) {
  const { filter, first } = props;
  const isNarrowed = FILTERS.some((name) => filter[name] !== undefined);
  const models = usePictureModels();
  const text = (name: Name, label: string, placeholder: string, list?: string) => (
    <TextFilter key={name} {...{ name, label, placeholder, filter }} {...(list && { list })} />
  );
  return (
    <search className="filters generations-filters" aria-label="Filter">
      <TextFilter name="text" label="Prompt" placeholder="words in it" filter={filter} inputRef={first} />
      <ChoiceFilter name="status" label="Status" choices={STATUSES} filter={filter} />
      <ChoiceFilter name="makes" label="Makes" choices={['pictures', 'chat']} filter={filter} />
      {text('model', 'Model asked for', 'gpt-image-2', 'generations-models')}
      {text('target', 'Target', 'openai/ or a whole one')}
      {text('code', 'Error code', 'outcome_unknown')}
      {text('caller', 'Key', 'its name')}
      {text('request_id', 'Request id', 'ours or a provider’s')}
      <label className="generations-check">
        <input
          type="checkbox"
          checked={filter.unknown !== undefined}
          onChange={({ target }) => change(filter, 'unknown', target.checked ? '1' : '')}
        />
        Unknown outcomes only
      </label>
      {isNarrowed && (
        <Button look="quiet" onClick={() => go(href('generations'), { replace: true })}>
          Show all
        </Button>
      )}
      <datalist id="generations-models">
        {models.data?.slice(0, 200).map(({ id }) => (
          <option key={id} value={id} />
        ))}
      </datalist>
    </search>
  );
}

/** Written at once, looked for when one stops typing. */
function TextFilter(props: {
  readonly name: Name;
  readonly label: string;
  readonly placeholder: string;
  readonly filter: GenerationFilter;
  readonly list?: string;
  readonly inputRef?: RefObject<HTMLInputElement | null>;
}) {
  const { name, label, placeholder, filter, list, inputRef } = props;
  const value = filter[name] ?? '';
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => change(filter, name, typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, filter, name]);
  return (
    <Field label={label}>
      {(field) => (
        <input
          {...field}
          ref={inputRef}
          type="search"
          placeholder={placeholder}
          list={list}
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
      )}
    </Field>
  );
}

function ChoiceFilter(props: {
  readonly name: Name;
  readonly label: string;
  readonly choices: readonly string[];
  readonly filter: GenerationFilter;
}) {
  const { name, label, choices, filter } = props;
  return (
    <Field label={label}>
      {(field) => (
        <select {...field} value={filter[name] ?? ''} onChange={({ target }) => change(filter, name, target.value)}>
          <option value="">any</option>
          {choices.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
