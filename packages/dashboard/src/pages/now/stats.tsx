import type { Now } from '../../api/now.ts';
import { href } from '../../router.ts';
import { budgetBound, budgetShare } from '../../ui/budget-words.ts';
import { count, duration, percent, usd } from '../../ui/format.ts';
import { Stat, type Tone } from '../../ui/layout.tsx';
import { fullestLimit, isBinding, limitUseText } from './standing.ts';

const [FEW_FAIL, MANY_FAIL] = [0.99, 0.9];
const NEARLY = 0.75;

/** The numbers that one looks at first. */
export function Standing({ now }: { readonly now: Now }) {
  const { latency_ms: latency, window_ms: windowMs } = now;
  const span = duration(windowMs);
  return (
    <section className="stats" aria-label="Figures">
      <Success now={now} span={span} />
      <Stat
        label={`p50 / p95, ${span}`}
        value={latency ? <Pair of={[duration(latency.p50), duration(latency.p95)]} /> : '–'}
        hint={latency ? 'from request to verified' : 'none was made yet'}
      />
      <Pace now={now} />
      <Stat
        label="Running / waiting"
        value={<Pair of={[count(now.running_count), count(now.waiting_count)]} />}
        hint={now.waiting_count > 0 ? 'for a turn under the limits' : 'nobody waits'}
      />
      <Spend now={now} />
      <Open now={now} />
    </section>
  );
}

/** Two amounts, none of them torn apart where there is little room. */
function Pair({ of: [one, other] }: { readonly of: readonly [string, string] }) {
  return (
    <>
      <span className="nowrap">{one}</span> / <span className="nowrap">{other}</span>
    </>
  );
}

function Success({ now, span }: { readonly now: Now; readonly span: string }) {
  const { success_rate: rate, ended, failed, refused, canceled } = now.requests;
  const parts = [
    `${count(ended)} ended`,
    `${count(failed)} failed`,
    ...(refused > 0 ? [`${count(refused)} refused`] : []),
    ...(canceled > 0 ? [`${count(canceled)} canceled`] : []),
  ];
  const tone: Tone = rate === null || rate >= FEW_FAIL ? 'plain' : rate >= MANY_FAIL ? 'warn' : 'bad';
  return <Stat label={`Success, ${span}`} value={percent(rate)} hint={parts.join(', ')} tone={tone} />;
}

/** Against the limit that binds, or comes nearest to it; it is named. */
function Pace({ now }: { readonly now: Now }) {
  const limit = fullestLimit(now.limits);
  const binds = limit !== undefined && isBinding(limit);
  const hint = limit
    ? `${binds ? 'bound by' : 'fullest limit:'} ${limit.target}, ${limitUseText(limit)}`
    : 'no known limit is in use';
  return <Stat label="Images a minute" value={now.images_per_minute} hint={hint} tone={binds ? 'warn' : 'plain'} />;
}

function Spend({ now }: { readonly now: Now }) {
  const { spend_today_usd: spent, unpriced_today: unpriced, budgets } = now;
  const fullest = budgets.toSorted((one, other) => budgetShare(other) - budgetShare(one))[0];
  const share = fullest ? budgetShare(fullest) : 0;
  return (
    <Stat
      label="Spent today (UTC)"
      value={usd(spent)}
      tone={share >= 1 ? 'bad' : share >= NEARLY ? 'warn' : 'plain'}
      hint={
        <>
          {unpriced > 0 && `and ${count(unpriced)} of unknown price; `}
          {fullest ? (
            <a href={href('keys')}>
              {fullest.key}: {percent(share)} of {budgetBound(fullest)}
            </a>
          ) : (
            <a href={href('costs')}>See the bill</a>
          )}
        </>
      }
    />
  );
}

/** What somebody still has to look at. */
function Open({ now }: { readonly now: Now }) {
  const { unknown_outcomes: unknown, undelivered } = now;
  return (
    <Stat
      label="Unknown / undelivered"
      value={<Pair of={[count(unknown), count(undelivered)]} />}
      tone={unknown > 0 ? 'warn' : 'plain'}
      hint={
        unknown > 0 ? (
          <a href={href('generations', undefined, { unknown: '1' })}>May have been billed: look and settle</a>
        ) : undelivered > 0 ? (
          'results wait for their callers to ask again'
        ) : (
          'every outcome is known'
        )
      }
    />
  );
}
