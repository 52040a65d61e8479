import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type GenerationDetail, isOver, useGeneration } from '../../api/generations.ts';
import { useModel } from '../../api/models.ts';
import { type BillCount, type Faults, useBill } from '../../api/sandbox.ts';
import { href } from '../../router.ts';
import { Card } from '../../ui/layout.tsx';
import { Empty, Queried } from '../../ui/states.tsx';
import { Failed, useTicking } from '../generations/detail.tsx';
import { type Lanes, lanesOf } from '../generations/lanes.ts';
import { Pictures } from '../generations/made.tsx';
import { Waterfall } from '../generations/waterfall.tsx';
import { type Answer, answerOf, isAnswered } from './answer.ts';
import { billedBetween } from './faults.ts';
import { OwnReceipt, StockReceipt, Verdict } from './receipts.tsx';
import { type StockRun, stockRun } from './stock-sdk.ts';
import type { PastRun, Run, Runs } from './use-runs.ts';

const LOOK_EVERY_MS = 300;

/** What happens, as it happens: beside it what a stock SDK would have done. */
export function RunView({
  faults,
  script,
  runs,
}: {
  readonly faults: Faults;
  readonly script: string;
  readonly runs: Runs;
}) {
  const { current } = runs;
  const stock = stockRun(current?.script ?? script, isChargedBy(faults));
  const price = usePrice(current?.model ?? 'sandbox/ok');
  const place = useRef<HTMLDivElement>(null);
  const shown = current?.id;
  // On a narrow window it happens below what one pressed.
  useEffect(() => {
    const { top = 0 } = place.current?.getBoundingClientRect() ?? {};
    if (shown !== undefined && top > window.innerHeight * 0.8) place.current?.scrollIntoView();
  }, [shown]);
  return (
    <div className="sandbox-run" ref={place}>
      {current ? (
        <Played key={current.id} run={current} runs={runs} stock={stock} />
      ) : (
        <>
          <div className="sandbox-receipts">
            <StockReceipt of={script} run={stock} price={price} />
            <OwnReceipt of={undefined} lanes={undefined} bill={undefined} answer={undefined} />
          </div>
          <Card title="What happens">
            <Empty>Send it, and every attempt appears here as it is made.</Empty>
          </Card>
        </>
      )}
    </div>
  );
}

function Played({
  run,
  runs,
  stock,
}: {
  readonly run: Run;
  readonly runs: Runs;
  readonly stock: StockRun | undefined;
}) {
  const query = useGeneration(run.id, { lookEveryMs: LOOK_EVERY_MS });
  const { data } = query;
  const isDone = data !== undefined && isAnswered(data);
  const bill = useBill(isDone ? false : LOOK_EVERY_MS * 2);
  const queries = useQueryClient();
  const now = useTicking(data !== undefined && !isOver(data));
  // What the provider wrote down last may have come after the last look.
  useEffect(() => {
    if (isDone) void queries.invalidateQueries({ queryKey: ['sandbox', 'bill'] });
  }, [isDone, queries]);
  const grown = bill.data && billedBetween(run.before, bill.data, run.billed);
  useNoted({ run, runs, generation: isDone ? data : undefined, grown });
  const lanes = data && lanesOf(data, now);
  const price = usePrice(run.model);
  return (
    <>
      <div className="sandbox-receipts">
        <StockReceipt of={run.script} run={stock} price={price} />
        <OwnReceipt of={run.model} lanes={lanes} bill={grown} answer={data && answerOf(data)} />
      </div>
      <Verdict stock={stock} bill={grown} price={price} answer={data && answerOf(data)} />
      <Card title="What happens" actions={<a href={href('generations', run.id)}>Open the generation</a>}>
        <Queried query={query} what="the generation">
          {(generation) => <Shown generation={generation} lanes={lanesOf(generation, now)} />}
        </Queried>
      </Card>
    </>
  );
}

function Shown({ generation, lanes }: { readonly generation: GenerationDetail; readonly lanes: Lanes }) {
  const { images = [], timeline } = generation;
  const isOverdue = !isOver(generation) && isAnswered(generation);
  const isHeld = !isOver(generation) && timeline[0]?.type === 'waiting' && timeline.length === 1;
  return (
    <>
      <Waterfall lanes={lanes} />
      {isOverdue && (
        <p className="muted">
          The patience is over and the caller has its answer. The attempt stays open: a picture that comes late is kept
          and can be fetched, instead of being paid for twice.
        </p>
      )}
      {isHeld && (
        <p className="muted">
          Earlier plays of this fault closed its target for a while: nothing is sent before then. Its breaker can be
          reset on <a href={href('now')}>Now</a>.
        </p>
      )}
      <Failed generation={generation} />
      {images.length > 0 && <Pictures pictures={images} prompt={generation.request.prompt ?? ''} />}
    </>
  );
}

/** Keeps how it ended, once the bill has been read after it. */
function useNoted(given: {
  readonly run: Run;
  readonly runs: Runs;
  readonly generation: GenerationDetail | undefined;
  readonly grown: BillCount | undefined;
}): void {
  const { run, runs, generation, grown } = given;
  const { note } = runs;
  // Compared as text, because each look brings new objects that say the same.
  const ended = generation && grown && JSON.stringify(pastRun(run, answerOf(generation), grown));
  useEffect(() => {
    if (ended !== undefined) note(JSON.parse(ended) as PastRun);
  }, [ended, note]);
}

function pastRun(run: Run, { words, hasPicture }: Answer, bill: BillCount): PastRun {
  return { ...run, answer: words, hasPicture, bill };
}

function isChargedBy({ faults }: Faults): (name: string) => boolean {
  return (name) => faults.some((fault) => fault.api === 'images' && fault.name === name && fault.charges);
}

/** What a picture costs there. */
function usePrice(model: string): number | undefined {
  const price = useModel(model).data?.onetake?.price?.per_image_usd;
  return typeof price === 'number' ? price : undefined;
}
