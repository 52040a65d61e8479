import { useMemo } from 'react';
import { type Costs as CostsData, DIMENSIONS, type Dimension, useCosts } from '../../api/costs.ts';
import { go, href, usePlace } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { Chart, type ChartSeries } from '../../ui/chart.tsx';
import { Field } from '../../ui/field.tsx';
import { count, usd } from '../../ui/format.ts';
import { Card, Page, Stat } from '../../ui/layout.tsx';
import { saveAs } from '../../ui/save-as.ts';
import { Empty, Queried } from '../../ui/states.tsx';
import { Bill } from './bill.tsx';
import { KeyBudgets } from './key-budgets.tsx';
import { csvOf, overTime, PERIODS, stepOf, type View, viewOf } from './table.ts';
import './costs.css';

/** One bar tells nothing that the total does not. */
const SHORTEST = PERIODS[0][0];
const NOBODY = 'nobody was asked';

/** The bill: what was spent, on what, and what of it was for nothing. */
export default function Costs() {
  const { query } = usePlace();
  const view = viewOf(query);
  const costs = useCosts(view);
  const show = ({ since, by }: View) =>
    go(href('costs', undefined, { period: since, by: by.join(',') || 'all' }), { replace: true });
  return (
    <Page title="Costs" actions={<Download costs={costs.data} by={view.by} />}>
      <Choice view={view} onChange={show} />
      <Queried query={costs} what="the bill">
        {(data) =>
          data.total.requests === 0 ? (
            <Empty>
              Nothing was asked for in this time. Choose a longer one, or make a picture in the{' '}
              <a href={href('playground')}>Playground</a>: the sandbox costs nothing.
            </Empty>
          ) : (
            <>
              <Totals costs={data} />
              {view.since !== SHORTEST && <OverTime since={view.since} />}
              <Card title={view.by.length === 0 ? 'In all' : `By ${view.by.join(' and ')}`}>
                <Bill costs={data} by={view.by} nobody={NOBODY} />
              </Card>
            </>
          )
        }
      </Queried>
      {!costs.isPending && <KeyBudgets />}
    </Page>
  );
}

function Choice({ view, onChange }: { readonly view: View; readonly onChange: (view: View) => void }) {
  const toggle = (one: Dimension, isOn: boolean) =>
    onChange({ ...view, by: DIMENSIONS.filter((known) => (known === one ? isOn : view.by.includes(known))) });
  return (
    <div className="costs-choice">
      <Field label="Period">
        {(field) => (
          <select {...field} value={view.since} onChange={({ target }) => onChange({ ...view, since: target.value })}>
            {PERIODS.map(([period, words]) => (
              <option key={period} value={period}>
                {words}
              </option>
            ))}
          </select>
        )}
      </Field>
      <fieldset className="costs-by">
        <legend>One row for each</legend>
        {DIMENSIONS.map((one) => (
          <label key={one}>
            <input
              type="checkbox"
              checked={view.by.includes(one)}
              onChange={({ target }) => toggle(one, target.checked)}
            />{' '}
            {one}
          </label>
        ))}
      </fieldset>
    </div>
  );
}

function Totals({ costs: { total } }: { readonly costs: CostsData }) {
  const perImage = total.images === 0 ? null : total.spent_usd / total.images;
  return (
    <section className="stats" aria-label="In all">
      <Stat
        label="Spent"
        value={usd(total.spent_usd)}
        hint={`${count(total.requests)} requests, ${count(total.images)} images${perImage === null ? '' : `, ${usd(perImage)} each`}`}
      />
      <Stat
        label="Of it for repeats"
        value={usd(total.retried_usd)}
        hint={`${usd(total.fallback_usd)} at another target than the first`}
      />
      <Stat label="Of it refused" value={usd(total.refused_usd)} hint={`${count(total.refused)} refusals`} />
      <Stat label="Saved by the cache" value={usd(total.saved_usd)} hint={`${count(total.cached)} answers`} />
      <Stat
        label="May have been billed"
        value={usd(total.possible_usd)}
        tone={total.unknown > 0 ? 'warn' : 'plain'}
        hint={
          total.unknown === 0 ? (
            'every outcome is known'
          ) : (
            <a href={href('generations', undefined, { unknown: '1' })}>
              {count(total.unknown)} attempts of unknown end: settle them
            </a>
          )
        }
      />
      {total.unpriced > 0 && (
        <Stat
          label="Price unknown"
          value={count(total.unpriced)}
          tone="warn"
          hint="attempts whose price nobody knows; never counted as $0"
        />
      )}
    </section>
  );
}

function OverTime({ since }: { readonly since: string }) {
  const step = stepOf(since);
  const query = useCosts({ by: [step], since });
  return (
    <Card title={`Spent by the ${step} (UTC)`}>
      <div className="costs-chart">
        <Queried query={query} what="the chart">
          {(costs) => <SpentChart costs={costs} step={step} />}
        </Queried>
      </div>
    </Card>
  );
}

function SpentChart({ costs, step }: { readonly costs: CostsData; readonly step: 'day' | 'hour' }) {
  const { at, series, words } = useMemo(() => {
    const { at, spent, possible } = overTime(costs.data, step, costs);
    const most = Math.max(0, ...spent);
    const unknown: readonly ChartSeries[] = possible.some((amount) => amount > 0)
      ? [{ label: 'may have been billed', values: possible, color: '--warn' }]
      : [];
    const series: readonly ChartSeries[] = [
      { label: 'spent', values: spent, color: '--accent', look: 'bars' },
      ...unknown,
    ];
    return {
      at,
      series,
      words: `Spent by the ${step}: ${usd(costs.total.spent_usd)} in all, at most ${usd(most)} in one`,
    };
  }, [costs, step]);
  return <Chart label={words} at={at} series={series} write={usd} isUtc />;
}

function Download({ costs, by }: { readonly costs: CostsData | undefined; readonly by: readonly Dimension[] }) {
  if (costs === undefined || costs.total.requests === 0) return null;
  const rows = by.length === 0 ? [costs.total] : costs.data;
  const day = (at: number) => new Date(at).toISOString().slice(0, 'yyyy-mm-dd'.length);
  return (
    <Button
      onClick={() =>
        saveAs(
          new Blob([csvOf(rows, by)], { type: 'text/csv' }),
          `onetake-costs-${day(costs.since)}-${day(costs.until)}.csv`,
        )
      }
    >
      Download as CSV
    </Button>
  );
}
