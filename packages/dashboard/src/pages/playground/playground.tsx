import { useEffect, useState } from 'react';
import { readGeneration } from '../../api/generations.ts';
import { useModel, usePictureModels } from '../../api/models.ts';
import { useEstimate } from '../../api/playground.ts';
import { useSession } from '../../api/session.ts';
import { href, usePlace } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { ErrorBox, Loading } from '../../ui/states.tsx';
import { CodeTabs } from './code-tabs.tsx';
import { Cost } from './cost.tsx';
import { useDebounced } from './debounced.ts';
import { bodyOf, EMPTY_FORM, type Form, formOf, offersFor, referencesOf, whyNot } from './form.ts';
import { ModelChoice } from './model-choice.tsx';
import { References } from './references.tsx';
import { Result } from './result.tsx';
import { Settings } from './settings.tsx';
import { PREVIEW_FIELDS, useSend } from './use-send.ts';
import { Wish } from './wish.tsx';
import './playground.css';

interface Start {
  readonly form: Form;
  readonly references: readonly File[];
  /** Pictures that a generation worked from and that are kept no more. */
  readonly lost: number;
}

const BLANK: Start = { form: EMPTY_FORM, references: [], lost: 0 };

export default function Playground() {
  const from = usePlace().query.get('from') ?? '';
  return <Filled key={from} from={from} />;
}

/** The form as a generation filled it, once that has been read. */
function Filled({ from }: { readonly from: string }) {
  const [start, setStart] = useState<Start | undefined>(from === '' ? BLANK : undefined);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (from === '') return;
    const stop = new AbortController();
    startFrom(from, stop.signal).then(setStart, (thrown: unknown) => !stop.signal.aborted && setError(thrown));
    return () => stop.abort();
  }, [from]);
  return (
    <Page title="Playground">
      {error !== undefined && !start && (
        <>
          <ErrorBox error={error} />
          <div>
            <Button onClick={() => setStart(BLANK)}>Begin with an empty form</Button>
          </div>
        </>
      )}
      {error === undefined && !start && <Loading what="the generation" />}
      {start && <Bench start={start} from={from} />}
    </Page>
  );
}

async function startFrom(id: string, signal: AbortSignal): Promise<Start> {
  const generation = await readGeneration(id, signal);
  const asked = referencesOf(generation.request);
  const read = await Promise.all(
    asked.map(async ({ link, hash, type }) => {
      const response = await fetch(link, { signal });
      if (!response.ok) return [];
      return [new File([await response.blob()], `${hash.slice(0, 8)}.${type}`, { type: `image/${type}` })];
    }),
  );
  const references = read.flat();
  return { form: formOf(generation), references, lost: asked.length - references.length };
}

const TYPING_MS = 350;

function Bench({ start, from }: { readonly start: Start; readonly from: string }) {
  const [form, setForm] = useState(start.form);
  const [references, setReferences] = useState(start.references);
  const session = useSession();
  const models = usePictureModels();
  // Without a default of its own the gateway wants a name.
  const standIn = session.data?.default_model ? '' : (models.data?.[0]?.id ?? '');
  const named = useDebounced(form.model.trim(), TYPING_MS) || session.data?.default_model || standIn || undefined;
  const model = useModel(named);
  const facts = model.data?.onetake;
  const offers = offersFor(facts?.capabilities);
  const body = bodyOf({ ...form, model: form.model.trim() || standIn }, offers);
  const canPreview = facts?.streams === true && form.candidates === 1;
  const isStreamed = canPreview && form.previews;
  const why = whyNot(form, references.length, facts?.capabilities, facts?.operations ?? []);
  const wished = why === undefined ? JSON.stringify(isStreamed ? { ...body, ...PREVIEW_FIELDS } : body) : '';
  const asked = useDebounced(wished, TYPING_MS);
  const estimate = useEstimate(asked === '' ? undefined : JSON.parse(asked), references.length);
  const { state, send, isBusy } = useSend();
  const change = (part: Partial<Form>) => setForm((before) => ({ ...before, ...part }));
  const press = () => why === undefined && send({ body, references, isStreamed });
  return (
    <div className="playground">
      <div className="playground-form">
        {from !== '' && (
          <p className="muted">
            Filled from <a href={href('generations', from)}>{from}</a>.
            {start.lost > 0 && ` ${start.lost} of its pictures to work from are kept no more.`}
          </p>
        )}
        <Card>
          <Wish form={form} change={change} press={press} most={facts?.capabilities?.max_prompt_chars} />
          <ModelChoice value={form.model} change={(value) => change({ model: value })} model={model} named={named} />
          <References files={references} change={setReferences} capabilities={facts?.capabilities} />
          <Settings form={form} change={change} offers={offers} canPreview={canPreview} />
        </Card>
      </div>
      <div className="playground-result">
        <Card>
          <Cost estimate={estimate} why={why} />
          <div className="actions">
            <Button
              look="main"
              isBusy={isBusy}
              disabled={why !== undefined}
              onClick={press}
              aria-keyshortcuts="Control+Enter"
            >
              {isBusy ? 'Sending…' : form.candidates > 1 ? `Make ${form.candidates} candidates` : 'Make it'}
            </Button>
            <small className="muted">
              <kbd>Ctrl</kbd> <kbd>Enter</kbd> sends too
            </small>
          </div>
        </Card>
        <Result state={state} />
        <CodeTabs
          body={body.prompt.trim() === '' ? { ...body, prompt: 'a red fox' } : body}
          files={references.map(({ name }) => name)}
          needsKey={session.data?.needs_key === true}
        />
      </div>
    </div>
  );
}
