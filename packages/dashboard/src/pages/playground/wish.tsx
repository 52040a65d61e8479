import type { KeyboardEvent } from 'react';
import { Field } from '../../ui/field.tsx';
import { count } from '../../ui/format.ts';
import type { Form } from './form.ts';

/** What the picture should show. */
export function Wish(props: {
  readonly form: Form;
  readonly change: (part: Partial<Form>) => void;
  readonly press: () => void;
  readonly most: number | undefined;
}) {
  const { form, change, press, most } = props;
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    press();
  };
  const isTooLong = most !== undefined && form.prompt.length > most;
  const error = isTooLong
    ? `This model reads ${count(most)} characters; these are ${count(form.prompt.length)}.`
    : undefined;
  return (
    <Field label="Prompt" {...(error !== undefined && { error })}>
      {(field) => (
        <textarea
          {...field}
          rows={4}
          maxLength={32_000}
          placeholder="A red fox in the snow, at dusk, photographed from far away"
          value={form.prompt}
          onChange={({ target }) => change({ prompt: target.value })}
          onKeyDown={onKey}
        />
      )}
    </Field>
  );
}
