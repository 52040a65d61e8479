import { useId } from 'react';
import { Field } from '../../ui/field.tsx';
import { type Form, MOST, type Offer, type Setting } from './form.ts';

type Change = (part: Partial<Form>) => void;

const LABELS: Readonly<Record<Setting, string>> = {
  ...{ size: 'Size', aspectRatio: 'Aspect ratio', resolution: 'Resolution', quality: 'Quality', format: 'Format' },
  ...{ compression: 'Compression', background: 'Background', moderation: 'Moderation', seed: 'Seed' },
  negativePrompt: 'Negative prompt',
};

const FIRST: readonly Setting[] = ['size', 'aspectRatio', 'quality', 'format', 'background', 'seed'];
const REST: readonly Setting[] = ['resolution', 'compression', 'moderation', 'negativePrompt'];

/** What can be set for this model; what cannot says why. */
export function Settings(props: {
  readonly form: Form;
  readonly change: Change;
  readonly offers: Readonly<Record<Setting, Offer>>;
  readonly canPreview: boolean;
}) {
  const { form, change, offers, canPreview } = props;
  const one = (name: Setting) => <OneSetting key={name} {...{ name, form, change }} offer={offers[name]} />;
  const isMany = form.candidates > 1;
  return (
    <fieldset className="playground-settings">
      <legend className="hidden-text">Settings</legend>
      <div className="playground-grid">
        <Amount
          label="Pictures"
          value={form.n}
          most={MOST.pictures}
          change={(n) => change({ n })}
          why={isMany ? 'each candidate is one picture' : undefined}
        />
        <Amount
          label="Candidates"
          value={form.candidates}
          most={MOST.candidates}
          change={(candidates) => change({ candidates })}
          hint={isMany ? 'all are made and paid for, one is picked' : '1: none; more: pick one of them'}
        />
        {FIRST.map(one)}
      </div>
      <details>
        <summary>More settings</summary>
        <div className="playground-grid">
          {REST.map(one)}
          <Payment form={form} change={change} />
        </div>
      </details>
      <label className="playground-check">
        <input
          type="checkbox"
          disabled={!canPreview}
          checked={form.previews && canPreview}
          onChange={({ target }) => change({ previews: target.checked })}
        />
        <span>
          Show it while it is drawn{' '}
          <small className="muted">
            {canPreview
              ? 'some providers bill previews'
              : isMany
                ? 'candidates have no previews'
                : 'this model has no previews'}
          </small>
        </span>
      </label>
    </fieldset>
  );
}

function OneSetting(props: {
  readonly name: Setting;
  readonly form: Form;
  readonly change: Change;
  readonly offer: Offer;
}) {
  const { name, form, change, offer } = props;
  const listId = useId();
  const set = (value: string) => change({ [name]: value });
  if (offer.kind === 'off')
    return (
      <Field label={LABELS[name]} hint={offer.why} className="playground-off">
        {(field) => <input {...field} disabled value="" placeholder="not with this model" />}
      </Field>
    );
  if (offer.kind === 'choice')
    return (
      <Field label={LABELS[name]} {...(offer.hint !== undefined && { hint: offer.hint })}>
        {(field) => (
          <select
            {...field}
            value={offer.values.includes(form[name]) ? form[name] : ''}
            onChange={({ target }) => set(target.value)}
          >
            <option value="">not said</option>
            {offer.values.map((value) => (
              <option key={value} value={value}>
                {value}
              </option>
            ))}
          </select>
        )}
      </Field>
    );
  return (
    <Field label={LABELS[name]} hint={offer.hint}>
      {(field) => (
        <>
          <input
            {...field}
            value={form[name]}
            list={offer.suggestions && listId}
            autoComplete="off"
            onChange={({ target }) => set(target.value)}
          />
          {offer.suggestions && (
            <datalist id={listId}>
              {offer.suggestions.map((value) => (
                <option key={value} value={value} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

function Amount(props: {
  readonly label: string;
  readonly value: number;
  readonly most: number;
  readonly change: (value: number) => void;
  readonly hint?: string;
  readonly why?: string | undefined;
}) {
  const { label, value, most, change, hint, why } = props;
  const note = why ?? hint;
  return (
    <Field label={label} {...(note !== undefined && { hint: note })}>
      {(field) => (
        <input
          {...field}
          type="number"
          min={1}
          max={most}
          disabled={why !== undefined}
          value={value}
          onChange={({ target }) => change(Math.min(most, Math.max(1, Math.round(target.valueAsNumber) || 1)))}
        />
      )}
    </Field>
  );
}

const PAYMENTS = {
  '': 'as the route says',
  strict: 'strict: one attempt that may be billed',
  standard: 'standard: once more after a failure in words',
  available: 'available: also after an unknown outcome',
} as const;

function Payment({ form, change }: { readonly form: Form; readonly change: Change }) {
  return (
    <Field label="Payment">
      {(field) => (
        <select
          {...field}
          value={form.payment}
          onChange={({ target }) => change({ payment: target.value as Form['payment'] })}
        >
          {Object.entries(PAYMENTS).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
