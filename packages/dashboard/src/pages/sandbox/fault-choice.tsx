import { useState } from 'react';
import type { Faults } from '../../api/sandbox.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Badge, Card } from '../../ui/layout.tsx';
import { ErrorBox } from '../../ui/states.tsx';
import { type Choice, groupsOf, STORIES } from './faults.ts';
import { entriesOf } from './stock-sdk.ts';
import type { Payment, Runs } from './use-runs.ts';

const PATIENCE_MS = [5_000, 15_000, 60_000];

/** What goes wrong, how much may be paid, and the button. */
export function FaultChoice(props: {
  readonly faults: Faults;
  readonly script: string;
  readonly choose: (script: string) => void;
  readonly runs: Runs;
}) {
  const { faults, script, choose, runs } = props;
  const [payment, setPayment] = useState<Payment>('standard');
  const [patienceMs, setPatience] = useState(15_000);
  const [isScripting, setScripting] = useState(false);
  const groups = groupsOf(faults);
  const pick = ({ provider, example }: Choice) => {
    const isAppended = isScripting && provider === 'sandbox' && !isJob(script) && entriesOf(script).length > 0;
    choose(isAppended ? `${script},${example}` : provider === 'sandbox' ? example : `sandbox-task/${example}`);
  };
  const model = isJob(script) ? script : `sandbox/${entriesOf(script).join(',')}`;
  const play = () => runs.start({ model, script, payment, patienceMs, billed: [model.slice(model.indexOf('/') + 1)] });
  return (
    <Card title="What goes wrong">
      <fieldset className="sandbox-stories">
        <legend className="hidden-text">Prepared</legend>
        {STORIES.map((story) => (
          <button
            key={story.script}
            type="button"
            className="sandbox-story"
            aria-pressed={story.script === script}
            onClick={() => choose(story.script)}
          >
            {story.title}
            <span className="mono muted">{story.script}</span>
          </button>
        ))}
      </fieldset>
      <details className="sandbox-all">
        <summary>All faults</summary>
        <label className="sandbox-check">
          <input type="checkbox" checked={isScripting} onChange={({ target }) => setScripting(target.checked)} /> One
          after the other: the next choice is what the next attempt meets
        </label>
        {groups.map(({ title, choices }) => (
          <section key={title} className="sandbox-group" aria-label={title}>
            <h3>{title}</h3>
            {choices.map((choice) => (
              <button
                key={`${choice.provider} ${choice.name}`}
                type="button"
                className="sandbox-fault"
                aria-pressed={entriesOf(script.replace(/^sandbox-task\//, '')).includes(choice.example)}
                onClick={() => pick(choice)}
              >
                <code>{choice.example}</code>
                {choice.charges && <Badge tone="warn">charged</Badge>}
                <span>{choice.sentence}</span>
              </button>
            ))}
          </section>
        ))}
      </details>
      <Field label="Script" hint="One fault per attempt, with commas between; the last one repeats.">
        {(field) => (
          <input
            {...field}
            className="mono"
            spellCheck={false}
            value={script}
            onChange={({ target }) => choose(target.value)}
          />
        )}
      </Field>
      <div className="sandbox-controls">
        <Field label="Payment">
          {(field) => (
            <select {...field} value={payment} onChange={({ target }) => setPayment(target.value as Payment)}>
              <option value="strict">strict</option>
              <option value="standard">standard</option>
              <option value="available">available</option>
            </select>
          )}
        </Field>
        <Field label="Patience">
          {(field) => (
            <select {...field} value={patienceMs} onChange={({ target }) => setPatience(Number(target.value))}>
              {PATIENCE_MS.map((ms) => (
                <option key={ms} value={ms}>
                  {ms / 1_000} s
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {runs.error !== null && runs.error !== undefined && <ErrorBox error={runs.error} />}
      <Button look="main" isBusy={runs.isStarting} disabled={entriesOf(script).length === 0} onClick={play}>
        Send it
      </Button>
    </Card>
  );
}

function isJob(script: string): boolean {
  return script.startsWith('sandbox-task/');
}
