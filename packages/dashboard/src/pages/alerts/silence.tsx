import { type FormEvent, useState } from 'react';
import { useSilence } from '../../api/alerts.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/states.tsx';
import { ruleWords } from './amounts.ts';

/** What is to be silent: a rule, or one subject of it. */
export interface Silenced {
  readonly rule: string;
  readonly subject?: string;
  /** What it says now. */
  readonly words: string;
}

const LENGTHS = [
  [15, '15 minutes'],
  [60, 'an hour'],
  [480, '8 hours'],
  [1_440, 'a day'],
  [10_080, 'a week'],
] as const;
const USUAL_MINUTES = 60;

export function SilenceDialog({
  of: { rule, subject, words },
  onClose,
}: {
  readonly of: Silenced;
  readonly onClose: () => void;
}) {
  const [minutes, setMinutes] = useState<number>(USUAL_MINUTES);
  const silence = useSilence();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    silence.mutate({ rule, ...(subject !== undefined && { subject }), minutes }, { onSuccess: onClose });
  };
  return (
    <Dialog title={`Silence ${ruleWords(rule)}${subject === undefined ? '' : ` of ${subject}`}`} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p className="muted">{words}</p>
        <p>Nobody is told of it until then. It is still shown here, and what still holds at the end is told.</p>
        <Field label="For">
          {(field) => (
            <select {...field} value={minutes} onChange={({ target }) => setMinutes(Number(target.value))}>
              {LENGTHS.map(([length, text]) => (
                <option key={length} value={length}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Field>
        {silence.isError && <ErrorBox error={silence.error} />}
        <div className="actions">
          <Button look="main" type="submit" isBusy={silence.isPending}>
            Silence it
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
