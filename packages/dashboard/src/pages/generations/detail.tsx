import { useEffect, useState } from 'react';
import { type GenerationDetail, isOver, useGeneration } from '../../api/generations.ts';
import { href } from '../../router.ts';
import { CopyButton } from '../../ui/code.tsx';
import { clock, duration } from '../../ui/format.ts';
import { Card, Page, Status } from '../../ui/layout.tsx';
import { Queried } from '../../ui/states.tsx';
import { Elapsed } from '../../ui/time.tsx';
import { Actions } from './actions.tsx';
import { Facts } from './facts.tsx';
import { Journal } from './journal.tsx';
import { lanesOf } from './lanes.ts';
import { Made } from './made.tsx';
import { Waterfall } from './waterfall.tsx';
import './generations.css';

const DRAW_EVERY_MS = 250;

export function Detail({ id }: { readonly id: string }) {
  const query = useGeneration(id);
  return (
    <Page
      title={
        <span className="generations-head">
          <a href={href('generations')}>Generations</a>
          <span aria-hidden="true">/</span>
          <span className="mono generations-id">{id}</span>
          <CopyButton text={id} label="Copy id" />
        </span>
      }
      actions={query.data && <Actions generation={query.data} />}
    >
      <Queried query={query} what="the generation">
        {(generation) => <Whole generation={generation} />}
      </Queried>
    </Page>
  );
}

function Whole({ generation }: { readonly generation: GenerationDetail }) {
  return (
    <>
      <Summary generation={generation} />
      {generation.failure && <Failed generation={generation} />}
      <div className="generations-top">
        <Made generation={generation} />
        <Facts generation={generation} />
      </div>
      <Card title="Attempts">
        <Drawn generation={generation} />
      </Card>
      <Journal generation={generation} />
    </>
  );
}

/** Its own clock: what is drawn four times a second is this alone. */
function Drawn({ generation }: { readonly generation: GenerationDetail }) {
  return <Waterfall lanes={lanesOf(generation, useTicking(!isOver(generation)))} />;
}

function Summary({ generation }: { readonly generation: GenerationDetail }) {
  const { status, route, target, created_at: at, finished_at: end, attempts, code } = generation;
  return (
    <p className="generations-head" aria-live="polite">
      <Status of={status} />
      {code !== undefined && <code>{code}</code>}
      <span className="mono">
        {route}
        {target !== undefined && target !== route && ` → ${target}`}
      </span>
      <span className="muted">
        {attempts} {attempts === 1 ? 'attempt' : 'attempts'} ·{' '}
        <time dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
          {clock(at)}
        </time>
        <span aria-hidden={end === undefined}> · {end === undefined ? <Elapsed at={at} /> : duration(end - at)}</span>
      </span>
    </p>
  );
}

/** What went wrong, what it means for the bill, and what to do. */
export function Failed({ generation }: { readonly generation: GenerationDetail }) {
  const { failure } = generation;
  if (!failure) return null;
  const { message, advice, kind, certainty, billed, answer } = failure;
  return (
    <section className="error-box" aria-label="Failure">
      <p>
        <strong>{message}</strong>
      </p>
      <p>{advice}</p>
      <p className="muted">
        <code>
          {answer.status} {answer.code}
        </code>{' '}
        · kind {kind} · certainty {certainty} · billed: {billed}
      </p>
    </section>
  );
}

/** The time, again and again while something runs. */
export function useTicking(isOn: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => setNow(Date.now()), DRAW_EVERY_MS);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}
