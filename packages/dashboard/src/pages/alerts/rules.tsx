import { type AlertRow, type AlertRule, type Alerts, useSilence } from '../../api/alerts.ts';
import { Button } from '../../ui/button.tsx';
import { Badge, Card } from '../../ui/layout.tsx';
import { ErrorBox } from '../../ui/states.tsx';
import { Countdown } from '../../ui/time.tsx';
import { amountText, conditionText, ruleWords, standingOf } from './amounts.ts';
import type { Silenced } from './silence.tsx';

/** What is watched, and from where on it is told. */
export function Rules(props: { readonly alerts: Alerts; readonly onSilence: (wanted: Silenced) => void }) {
  const { alerts, onSilence } = props;
  return (
    <Card title="Rules">
      <p className="muted">
        Thresholds are set in <code>alerts.rules</code> of onetake.yaml; <code>off</code> ends a rule.
      </p>
      <ul className="alerts-list alerts-rules">
        {alerts.rules.map((rule) => (
          <RuleRow key={rule.name} rule={rule} rows={alerts.data} onSilence={onSilence} />
        ))}
      </ul>
    </Card>
  );
}

function RuleRow(props: {
  readonly rule: AlertRule;
  readonly rows: readonly AlertRow[];
  readonly onSilence: (wanted: Silenced) => void;
}) {
  const { rule, rows, onSilence } = props;
  const { name, on, what, unit } = rule;
  const { value, silencedUntil } = standingOf(rule, rows);
  const end = useSilence();
  const words = ruleWords(name);
  return (
    <li>
      <span className="alerts-rule-name">
        <strong>{words}</strong> <Badge tone={on ? 'good' : 'plain'}>{on ? 'on' : 'off'}</Badge>
      </span>
      <span>
        {on && conditionText(rule)}
        {on && value !== null && <span className="muted"> (now {amountText(value, unit)})</span>}
      </span>
      <span className="muted">
        {what}
        {silencedUntil !== null && (
          <>
            {' '}
            <Badge>silenced</Badge> ends <Countdown at={silencedUntil} over="now" />
          </>
        )}
        {end.isError && <ErrorBox error={end.error} />}
      </span>
      {silencedUntil !== null ? (
        <Button
          aria-label={`End every silence of ${words}`}
          isBusy={end.isPending}
          onClick={() => end.mutate({ rule: name, minutes: 0 })}
        >
          End it
        </Button>
      ) : (
        on && (
          <Button
            look="quiet"
            aria-label={`Silence every ${words}`}
            onClick={() => onSilence({ rule: name, words: `Everything of this rule: ${what}.` })}
          >
            Silence…
          </Button>
        )
      )}
    </li>
  );
}
