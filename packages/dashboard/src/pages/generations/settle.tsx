import { type FormEvent, useState } from 'react';
import { type GenerationDetail, useSettle } from '../../api/generations.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { usd } from '../../ui/format.ts';
import { ErrorBox } from '../../ui/states.tsx';

/** Ends a charge that nobody knew by what was found out at the provider. */
export function Settle({
  generation,
  onClose,
}: {
  readonly generation: GenerationDetail;
  readonly onClose: () => void;
}) {
  const settle = useSettle();
  const [verdict, setVerdict] = useState<'charged' | 'free'>('charged');
  const [amount, setAmount] = useState('');
  const { id, possible_usd: possible } = generation;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const usdGiven = verdict === 'charged' && amount.trim() !== '' && { usd: Number(amount) };
    settle.mutate({ id, verdict, ...usdGiven }, { onSuccess: onClose });
  };
  return (
    <Dialog title="What became of the charge?" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <p>
          Look the request up at the provider by its time and prompt. Possibly spent: up to {usd(possible)}. This cannot
          be taken back.
        </p>
        <fieldset className="generations-choice">
          <legend className="hidden-text">Verdict</legend>
          {(['charged', 'free'] as const).map((one) => (
            <label key={one}>
              <input type="radio" name="verdict" checked={verdict === one} onChange={() => setVerdict(one)} />{' '}
              {one === 'charged' ? 'It was charged' : 'It was free'}
            </label>
          ))}
        </fieldset>
        {verdict === 'charged' && (
          <Field
            label="US dollars"
            hint={possible === undefined ? 'What the provider charged.' : `Empty: ${usd(possible)}.`}
          >
            {(field) => (
              <input
                {...field}
                type="number"
                min="0"
                step="any"
                required={possible === undefined}
                value={amount}
                onChange={({ target }) => setAmount(target.value)}
              />
            )}
          </Field>
        )}
        {settle.isError && <ErrorBox error={settle.error} />}
        <Button look="main" type="submit" isBusy={settle.isPending}>
          {verdict === 'charged' ? 'It was charged' : 'It was free'}
        </Button>
      </form>
    </Dialog>
  );
}
