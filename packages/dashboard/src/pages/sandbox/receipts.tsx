import type { ReactNode } from 'react';
import type { BillCount } from '../../api/sandbox.ts';
import { usd } from '../../ui/format.ts';
import type { Lane, Lanes } from '../generations/lanes.ts';
import type { Answer } from './answer.ts';
import type { StockRun, StockTry } from './stock-sdk.ts';
import { verdictWords } from './verdict.ts';

interface Line {
  readonly key: string;
  readonly what: string;
  readonly came: string;
}

/** What the SDK would have done alone; it is worked out, not sent. `of` is what it would have met. */
export function StockReceipt(props: {
  readonly of: string;
  readonly run: StockRun | undefined;
  readonly price: number | undefined;
}) {
  const { of, run, price } = props;
  if (!run)
    return (
      <Receipt title="A stock SDK on its own" of={of} tone="plain">
        <p className="muted">No stock SDK speaks to this by itself, or nobody measured what it does.</p>
      </Receipt>
    );
  const lines = run.tries.map((one, at) => ({
    key: String(at),
    what: `POST ${at + 1}`,
    came: tryWords(one, at === run.tries.length - 1),
  }));
  return (
    <Receipt title="A stock SDK on its own" of={of} tone={run.hasPicture && run.charged <= 1 ? 'good' : 'bad'}>
      <Lines lines={lines} />
      <Total
        requests={run.tries.length}
        charged={run.charged}
        amount={price === undefined ? undefined : price * run.charged}
        got={run.got}
      />
      <small className="muted">
        Worked out, not sent: what <code>openai</code> for Node does with its default of two retries, as it was measured
        against this sandbox. <code>npm run bench:duplicates</code> measures it again.
      </small>
    </Receipt>
  );
}

function tryWords({ words, charged, ending }: StockTry, isLast: boolean): string {
  return [
    words,
    charged > 0 ? 'charged' : 'not charged',
    ...(ending === 'again' && !isLast ? ['sends it again'] : []),
  ].join(', ');
}

/** What Onetake did, and what the provider's own bill says of it. */
export function OwnReceipt(props: {
  readonly of: string | undefined;
  readonly lanes: Lanes | undefined;
  readonly bill: BillCount | undefined;
  readonly answer: Answer | undefined;
}) {
  const { of, lanes, bill, answer } = props;
  if (!lanes)
    return (
      <Receipt title="Through Onetake" of={of} tone="plain">
        <p className="muted">
          Nothing was sent yet. What stands here is what happens, and what the provider’s bill says.
        </p>
      </Receipt>
    );
  const attempts = lanes.rows.filter(({ kind }) => kind === 'attempt');
  const isGood = answer?.hasPicture === true || (bill?.charged ?? 0) <= 1;
  return (
    <Receipt title="Through Onetake" of={of} tone={answer?.isThere ? (isGood ? 'good' : 'bad') : 'plain'} isLive>
      <Lines lines={lanes.rows.map(laneLine)} />
      <Total
        requests={bill?.requests ?? attempts.length}
        charged={bill?.charged ?? 0}
        amount={bill?.charged_usd}
        got={answer?.words ?? 'not yet'}
      />
      <small className="muted">Counted by the provider’s bill, before and after.</small>
    </Receipt>
  );
}

const CERTAINTY_WORDS: Readonly<Record<string, string>> = {
  not_sent: 'never left',
  rejected: 'refused, no work was done',
  failed: 'the provider says that it failed',
  ambiguous: 'no verdict came, so it is not sent again by itself',
  completed: 'done, but nothing usable came',
};

function laneLine({ key, kind, attempt, target, words, outcome, certainty }: Lane): Line {
  if (kind === 'wait') return { key, what: 'waits', came: words };
  if (kind === 'skipped') return { key, what: 'passes', came: `${target}: ${words}` };
  const said = certainty === undefined ? undefined : (CERTAINTY_WORDS[certainty] ?? certainty);
  return { key, what: `attempt ${attempt}`, came: outcome === 'ok' ? 'the picture, verified' : (said ?? 'on its way') };
}

/** What the two differ by, in a sentence. */
export function Verdict(props: {
  readonly stock: StockRun | undefined;
  readonly bill: BillCount | undefined;
  readonly price: number | undefined;
  readonly answer: Answer | undefined;
}) {
  const { stock, bill, price, answer } = props;
  if (!answer?.isThere || !stock || !bill) return null;
  return (
    <p className="sandbox-verdict" role="status">
      {verdictWords({ stock, bill, price, hasPicture: answer.hasPicture })}
    </p>
  );
}

function Receipt(props: {
  readonly title: string;
  readonly tone: 'plain' | 'good' | 'bad';
  readonly of: string | undefined;
  readonly isLive?: boolean;
  readonly children: ReactNode;
}) {
  const { title, tone, of, isLive = false, children } = props;
  return (
    <section
      className={`sandbox-receipt sandbox-receipt-${tone}`}
      aria-label={title}
      aria-live={isLive ? 'polite' : undefined}
    >
      <h2>
        {title} {of !== undefined && <code className="sandbox-of muted">{of}</code>}
      </h2>
      {children}
    </section>
  );
}

function Lines({ lines }: { readonly lines: readonly Line[] }) {
  return (
    <ol className="sandbox-lines mono">
      {lines.map(({ key, what, came }) => (
        <li key={key}>
          <span>{what}</span>
          <span>{came}</span>
        </li>
      ))}
    </ol>
  );
}

function Total(props: {
  readonly requests: number;
  readonly charged: number;
  readonly amount: number | undefined;
  readonly got: string;
}) {
  const { requests, charged, amount, got } = props;
  return (
    <dl className="sandbox-total">
      <div>
        <dt>Requests</dt>
        <dd>{requests}</dd>
      </div>
      <div>
        <dt>Pictures charged</dt>
        <dd>
          <strong className={charged > 1 ? 'bad' : ''}>{charged}</strong>
          {amount !== undefined && <span className="sandbox-amount">{usd(amount)}</span>}
        </dd>
      </div>
      <div>
        <dt>The caller has</dt>
        <dd>{got}</dd>
      </div>
    </dl>
  );
}
