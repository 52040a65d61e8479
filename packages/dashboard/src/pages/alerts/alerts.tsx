import { useState } from 'react';
import { type AlertRow, type Alerts as AlertsData, useAlerts, useSilence } from '../../api/alerts.ts';
import { Button } from '../../ui/button.tsx';
import { Badge, Card, Page, Status } from '../../ui/layout.tsx';
import { Prose } from '../../ui/prose.tsx';
import { ErrorBox, Queried } from '../../ui/states.tsx';
import { Ago, Countdown } from '../../ui/time.tsx';
import { amountText, byUrgency, ruleWords } from './amounts.ts';
import { Channels } from './channels.tsx';
import { Rules } from './rules.tsx';
import { SilenceDialog, type Silenced } from './silence.tsx';
import './alerts.css';

/** What is watched, what is wrong now, and who is told. */
export default function Alerts() {
  const query = useAlerts();
  const [silencing, setSilencing] = useState<Silenced>();
  return (
    <Page title="Alerts">
      <Queried query={query} what="the alerts">
        {(alerts) => (
          <>
            <Rows alerts={alerts} onSilence={setSilencing} />
            <Channels channels={alerts.channels} />
            <Rules alerts={alerts} onSilence={setSilencing} />
          </>
        )}
      </Queried>
      {silencing && <SilenceDialog of={silencing} onClose={() => setSilencing(undefined)} />}
    </Page>
  );
}

function Rows({ alerts, onSilence }: { readonly alerts: AlertsData; readonly onSilence: (wanted: Silenced) => void }) {
  const rows = byUrgency(alerts.data.filter(({ state }) => state !== 'ok'));
  const isAnyOn = alerts.rules.some(({ on }) => on);
  return (
    <Card title="Now">
      <div role="status">
        {rows.length === 0 && (
          <p>
            <Badge tone={isAnyOn ? 'good' : 'plain'}>{isAnyOn ? 'all is well' : 'nothing is watched'}</Badge>{' '}
            <span className="muted">
              {isAnyOn
                ? 'No rule has anything to say.'
                : 'Every rule is off. Set alerts.rules in onetake.yaml to have some watched.'}
            </span>
          </p>
        )}
      </div>
      <ul className="alerts-list">
        {rows.map((row) => (
          <Row
            key={`${row.rule} ${row.subject}`}
            row={row}
            hasChannels={alerts.channels.length > 0}
            onSilence={onSilence}
          />
        ))}
      </ul>
    </Card>
  );
}

const TONES = { notice: 'info', warning: 'warn', critical: 'bad' } as const;

function Row(props: {
  readonly row: AlertRow;
  readonly hasChannels: boolean;
  readonly onSilence: (wanted: Silenced) => void;
}) {
  const { row, hasChannels, onSilence } = props;
  const { rule, subject, state, severity, message, advice, value, threshold, since } = row;
  const { notified_at: notifiedAt, silenced_until: silencedUntil, unit } = row;
  const end = useSilence();
  const about = { rule, ...(subject !== '' && { subject }) };
  const named = `${ruleWords(rule)} ${subject}`.trim();
  return (
    <li>
      <div className="alerts-head">
        <span>
          <Status of={state} /> {severity && <Badge tone={TONES[severity]}>{severity}</Badge>}{' '}
          <strong>{message}</strong>
        </span>
        {state === 'silenced' ? (
          <Button
            aria-label={`End the silence of ${named}`}
            isBusy={end.isPending}
            onClick={() => end.mutate({ ...about, minutes: 0 })}
          >
            End the silence
          </Button>
        ) : (
          <Button aria-label={`Silence ${named}`} onClick={() => onSilence({ ...about, words: message ?? named })}>
            Silence…
          </Button>
        )}
      </div>
      {advice && (
        <p>
          <Prose text={advice} />
        </p>
      )}
      <p className="alerts-facts muted">
        <code>{rule}</code>
        {subject !== '' && <span className="mono">{subject}</span>}
        {isMeasured(row) && (
          <span>
            {amountText(value, unit)}, threshold {amountText(threshold, unit)}
          </span>
        )}
        {since !== null && (
          <span>
            since <Ago at={since} />
          </span>
        )}
        {hasChannels && <Told at={notifiedAt} />}
        {silencedUntil !== null && (
          <span>
            silenced, ends <Countdown at={silencedUntil} over="now" />
          </span>
        )}
      </p>
      {end.isError && <ErrorBox error={end.error} />}
    </li>
  );
}

function Told({ at }: { readonly at: number | null }) {
  return <span>{at === null ? 'nobody was told yet' : <>told {<Ago at={at} />}</>}</span>;
}

/** That one breaker is open needs no number. */
function isMeasured({ unit, value }: AlertRow): boolean {
  return unit !== 'count' || (value !== null && value > 1);
}
