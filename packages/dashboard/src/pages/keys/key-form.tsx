import { type FormEvent, type ReactNode, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { PERIODS, type Period, type useCreateKey } from '../../api/keys.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/states.tsx';
import { type Draft, EMPTY_DRAFT, EXPIRIES, expiriesFor, fieldAt, periodOf, wantedOf } from './wanted.ts';

interface PartProps {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  /** What is wrong with a field. */
  readonly errorOf: (field: keyof Draft) => ReactNode;
}

/** A new key and what it is held to; only a name is needed. */
export function KeyForm(props: {
  readonly create: ReturnType<typeof useCreateKey>['create'];
  /** No key is in use yet, so nobody needs one. */
  readonly isFirst: boolean;
  readonly onClose: () => void;
}) {
  const { create, isFirst, onClose } = props;
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const refused = create.error instanceof ApiError ? create.error : undefined;
  const wrong = fieldAt(refused?.param);
  const parts: PartProps = {
    draft,
    change: (part) => setDraft({ ...draft, ...part }),
    errorOf: (field) => (field === wrong ? refused?.message : undefined),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(wantedOf(draft));
  };
  return (
    <Dialog title="New key" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {isFirst && <FirstKeyNote />}
        <NameAndUse {...parts} />
        {draft.use !== 'admin' && <Limits {...parts} />}
        {create.isError && wrong === undefined && <ErrorBox error={create.error} />}
        <div className="actions">
          <Button look="main" type="submit" isBusy={create.isPending}>
            Make the key
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function FirstKeyNote() {
  return (
    <p className="keys-note">
      <strong>From the first key on, everybody needs one</strong>, this page too: sign in with what stands in{' '}
      <code>admin.key</code> in the data directory, or with an administrator’s key made here.
    </p>
  );
}

function NameAndUse({ draft, change, errorOf }: PartProps) {
  return (
    <>
      <Field label="Name" hint="Who calls with it. Names are never given twice." error={errorOf('name')}>
        {(field) => (
          <input
            {...field}
            required
            maxLength={64}
            autoComplete="off"
            value={draft.name}
            onChange={({ target }) => change({ name: target.value })}
          />
        )}
      </Field>
      <Field label="For" hint={USES[draft.use].hint} error={errorOf('use')}>
        {(field) => (
          <select {...field} value={draft.use} onChange={({ target }) => change({ use: readUse(target.value) })}>
            {Object.entries(USES).map(([use, { words }]) => (
              <option key={use} value={use}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
      {draft.use === 'browser' && (
        <Field label="Origins of its pages" hint="Such as https://app.example, one a line" error={errorOf('origins')}>
          {(field) => (
            <textarea
              {...field}
              rows={2}
              required
              value={draft.origins}
              onChange={({ target }) => change({ origins: target.value })}
            />
          )}
        </Field>
      )}
      <Field label="Expires" error={errorOf('expires')}>
        {(field) => (
          <select
            {...field}
            value={draft.expires}
            onChange={({ target }) => change({ expires: readExpiry(target.value) })}
          >
            {expiriesFor(draft.use).map((one) => (
              <option key={one} value={one}>
                {EXPIRIES[one].words}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

const USES = {
  server: { words: 'an application on a server', hint: 'Sees and spends what is its own.' },
  admin: {
    words: 'an administrator',
    hint: 'Sees and changes what is everybody’s: keys, costs, targets. Opens this page.',
  },
  browser: { words: 'pages in browsers', hint: 'Whoever opens the page can read it, so it expires within a day.' },
} as const;

function readUse(text: string): Draft['use'] {
  return text === 'admin' || text === 'browser' ? text : 'server';
}

function readExpiry(text: string): Draft['expires'] {
  return expiriesFor('server').find((one) => one === text) ?? 'never';
}

function Limits({ draft, change, errorOf }: PartProps) {
  return (
    <>
      <div className="keys-pair">
        <Field label="Budget in US dollars" hint="Empty: none" error={errorOf('usd')}>
          {(field) => (
            <input
              {...field}
              inputMode="decimal"
              value={draft.usd}
              onChange={({ target }) => change({ usd: target.value })}
            />
          )}
        </Field>
        <PeriodField label="Money per" value={draft.usdPer} onChange={(usdPer) => change({ usdPer })} />
        <Field label="Images" hint="Empty: any" error={errorOf('images')}>
          {(field) => (
            <input
              {...field}
              inputMode="numeric"
              value={draft.images}
              onChange={({ target }) => change({ images: target.value })}
            />
          )}
        </Field>
        <PeriodField label="Images per" value={draft.imagesPer} onChange={(imagesPer) => change({ imagesPer })} />
      </div>
      {draft.usd.trim() !== '' && (
        <label>
          <input
            type="checkbox"
            checked={draft.allowUnknownPrice}
            onChange={({ target }) => change({ allowUnknownPrice: target.checked })}
          />{' '}
          May use models whose price nobody knows
        </label>
      )}
      <Field label="Requests a minute" hint="Empty: any" error={errorOf('rpm')}>
        {(field) => (
          <input
            {...field}
            inputMode="numeric"
            value={draft.rpm}
            onChange={({ target }) => change({ rpm: target.value })}
          />
        )}
      </Field>
      <Field label="Models" hint="Names, * for any characters; empty: all" error={errorOf('models')}>
        {(field) => (
          <input {...field} value={draft.models} onChange={({ target }) => change({ models: target.value })} />
        )}
      </Field>
    </>
  );
}

function PeriodField(props: {
  readonly label: string;
  readonly value: Period;
  readonly onChange: (period: Period) => void;
}) {
  const { label, value, onChange } = props;
  return (
    <Field label={label}>
      {(field) => (
        <select {...field} value={value} onChange={({ target }) => onChange(periodOf(target.value))}>
          {PERIODS.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
