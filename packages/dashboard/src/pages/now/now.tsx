import { memo } from 'react';
import type { AlertRow } from '../../api/alerts.ts';
import { type Line, type Now as NowData, useNow } from '../../api/now.ts';
import { href } from '../../router.ts';
import { Code } from '../../ui/code.tsx';
import { Badge, Card, Page } from '../../ui/layout.tsx';
import { Prose } from '../../ui/prose.tsx';
import { Queried } from '../../ui/states.tsx';
import { Time } from '../../ui/time.tsx';
import { HourCharts } from './hour-charts.tsx';
import { NewestFailures } from './newest-failures.tsx';
import { Pressures } from './pressures.tsx';
import { Running } from './running.tsx';
import { Standing } from './stats.tsx';
import { Targets } from './targets.tsx';
import './now.css';

/** How things stand, as it happens. */
export default function Now() {
  const { query, line } = useNow();
  return (
    <Page title="Now" actions={<LineState line={line} at={query.data?.at} />}>
      <Queried query={query} what="how things stand">
        {(now) => <Everything now={now} />}
      </Queried>
    </Page>
  );
}

function Everything({ now }: { readonly now: NowData }) {
  const isUntouched =
    now.running_count + now.waiting_count === 0 &&
    now.series.every(({ ended }) => ended === 0) &&
    now.failures.length === 0;
  return (
    <>
      <FiringAlerts alerts={now.alerts} />
      <Standing now={now} />
      {isUntouched ? <FirstRequest since={now.since} /> : <HourCharts series={now.series} />}
      <div className="now-columns">
        <div className="now-column">
          <Running
            running={now.running}
            runningCount={now.running_count}
            waiting={now.waiting}
            waitingCount={now.waiting_count}
          />
          <NewestFailures failures={now.failures} />
        </div>
        <div className="now-column">
          <Targets targets={now.targets} />
          <Pressures limits={now.limits} budgets={now.budgets} />
        </div>
      </div>
    </>
  );
}

/** Whether what is shown is what is; said aloud when it changes. */
function LineState({ line, at }: { readonly line: Line; readonly at: number | undefined }) {
  return (
    <p className="now-line" role="status">
      {line === 'open' && <Badge tone="good">live</Badge>}
      {line === 'opening' && <Badge>connecting</Badge>}
      {line === 'down' && (
        <>
          <Badge tone="bad">not live</Badge>
          <span className="muted">
            The line to the gateway is down; trying again.
            {at !== undefined && (
              <>
                {' '}
                This is how it was at <Time at={at} />.
              </>
            )}
          </span>
        </>
      )}
    </p>
  );
}

const TONES = { notice: 'info', warning: 'warn', critical: 'bad' } as const;

const FiringAlerts = memo(function FiringAlerts({ alerts }: { readonly alerts: readonly AlertRow[] }) {
  const firing = alerts.filter(({ state }) => state === 'firing');
  if (firing.length === 0) return null;
  return (
    <section className="now-alerts" aria-label="Alerts that fire" role="status">
      <ul>
        {firing.map(({ rule, subject, severity, message, advice }) => (
          <li key={`${rule} ${subject}`}>
            {severity && <Badge tone={TONES[severity]}>{severity}</Badge>}
            <span>
              <strong>{message}</strong> <span className="muted">{advice && <Prose text={advice} />}</span>
            </span>
          </li>
        ))}
      </ul>
      <a href={href('alerts')}>All alerts</a>
    </section>
  );
});

function FirstRequest({ since }: { readonly since: number }) {
  const body = JSON.stringify({ prompt: 'a red fox' });
  const curl = `curl -s ${location.origin}/v1/images/generations -H 'content-type: application/json' -d '${body}'`;
  return (
    <Card title="Nothing ended in the last hour">
      <p className="muted">
        This process counts since <Time at={since} />. Make a picture in the <a href={href('playground')}>Playground</a>
        , or from a terminal (with <code>-H 'authorization: Bearer …'</code> where keys are in use):
      </p>
      <Code text={curl} label="A first request by curl" />
    </Card>
  );
}
