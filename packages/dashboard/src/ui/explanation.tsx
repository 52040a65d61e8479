import { type Answer, type Explanation, type KnownError, useExplanation } from '../api/failures.ts';
import { Badge, type Tone } from './layout.tsx';
import { Queried } from './states.tsx';
import './explanation.css';

/** What the gateway knows of an error: its meaning, who has to act, and what helps. */
export function Explained({ text }: { readonly text: string }) {
  const query = useExplanation(text);
  return (
    <Queried query={query} what="what is known of it">
      {(explanation) => <Known explanation={explanation} />}
    </Queried>
  );
}

function Known({ explanation: { known, data, general } }: { readonly explanation: Explanation }) {
  const [best, ...others] = data;
  if (best === undefined) {
    return (
      <p className="explained">
        {general
          ? general.advice
          : 'Nothing is known of it. Paste more of the answer: its code, its status, its words.'}
      </p>
    );
  }
  return (
    <div className="explained">
      {!known && <p className="muted">It is not known for sure; this is what comes nearest.</p>}
      <OneError of={best} />
      {others.length > 0 && (
        <details>
          <summary>What else it may be ({others.length})</summary>
          {others.map((one) => (
            <OneError key={one.id} of={one} />
          ))}
        </details>
      )}
    </div>
  );
}

const WHO: Readonly<Record<string, string>> = {
  caller: 'who calls',
  operator: 'who runs the gateway',
  account_owner: 'who owns the account at the provider',
  provider: 'the provider',
  network_admin: 'who runs the network',
  nobody: 'nobody: it passes',
};

const HELPS: Readonly<Record<Answer, Tone>> = { yes: 'good', maybe: 'warn', no: 'plain' };
const COSTS: Readonly<Record<Answer, Tone>> = { yes: 'bad', maybe: 'warn', no: 'good' };

function OneError({ of: one }: { readonly of: KnownError }) {
  return (
    <div className="explained-one">
      <h3>{one.title}</h3>
      <p>{one.meaning}</p>
      <p>
        <strong>What to do</strong> ({WHO[one.who] ?? one.who}): {one.do}
      </p>
      <dl>
        <Fact name="Sending it again" answer={one.retry.useful} tones={HELPS} note={one.retry.when} />
        <Fact name="Another key" answer={one.another_key} tones={HELPS} note={one.another_key_when} />
        <Fact name="Another target" answer={one.fallback} tones={HELPS} />
        <Fact name="Billed" answer={one.billed} tones={COSTS} />
      </dl>
      <p className="muted">
        <code>{one.id}</code>
        {one.link !== undefined && (
          <>
            {' · '}
            <a href={one.link} target="_blank" rel="noreferrer">
              {new URL(one.link).hostname}
            </a>
          </>
        )}
      </p>
    </div>
  );
}

function Fact(props: {
  readonly name: string;
  readonly answer: Answer;
  readonly tones: Readonly<Record<Answer, Tone>>;
  readonly note?: string | undefined;
}) {
  const { name, answer, tones, note } = props;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Badge tone={tones[answer]}>{answer}</Badge> {note !== undefined && <span className="muted">{note}</span>}
      </dd>
    </div>
  );
}
