import type { UseQueryResult } from '@tanstack/react-query';
import { wordsOf } from '../../api/client.ts';
import { type Model, usePictureModels } from '../../api/models.ts';
import { Field } from '../../ui/field.tsx';
import { usd } from '../../ui/format.ts';

const LISTED = 400;

/** A name that is searched for while it is written; the browser’s own list. */
export function ModelChoice(props: {
  readonly value: string;
  readonly change: (value: string) => void;
  readonly model: UseQueryResult<Model>;
  readonly named: string | undefined;
}) {
  const { value, change, model, named } = props;
  const models = usePictureModels();
  const error = model.isError && value.trim() !== '' ? wordsOf(model.error) : undefined;
  return (
    <div className="playground-model">
      <Field
        label="Model or route"
        hint={models.data ? `${models.data.length} are listed; any other name may work too.` : ''}
        {...(error !== undefined && { error })}
      >
        {(field) => (
          <input
            {...field}
            type="search"
            list="playground-models"
            autoComplete="off"
            spellCheck={false}
            placeholder={named ?? 'the default of the gateway'}
            value={value}
            onChange={({ target }) => change(target.value)}
          />
        )}
      </Field>
      <datalist id="playground-models">
        {models.data?.slice(0, LISTED).map(({ id, owned_by: owner }) => (
          <option key={id} value={id}>
            {owner}
          </option>
        ))}
      </datalist>
      {model.data && <Facts model={model.data} />}
    </div>
  );
}

function Facts({ model: { onetake } }: { readonly model: Model }) {
  if (!onetake) return null;
  const { targets, price, max_images_per_call: most, retired, shutdown_date: ends } = onetake;
  return (
    <p className="playground-facts muted">
      <span className="mono">{targets.join(' → ')}</span>
      <span>{priceWords(price)}</span>
      {most !== undefined && most > 1 && <span>up to {most} in one call</span>}
      {retired && (
        <span className="warn">
          retired on {retired.on}; {retired.successor} serves instead
        </span>
      )}
      {ends !== undefined && <span className="warn">its provider ends it on {ends}</span>}
    </p>
  );
}

function priceWords(price: Readonly<Record<string, unknown>> | null): string {
  const { per_image_usd: image, lowest_usd: lowest, per_megapixel_usd: megapixel } = price ?? {};
  if (typeof image === 'number')
    return typeof lowest === 'number' ? `${usd(lowest)} to ${usd(image)} a picture` : `${usd(image)} a picture`;
  if (typeof megapixel === 'number') return `${usd(megapixel)} a megapixel`;
  return price === null ? 'its price is not known here' : 'billed by tokens';
}
