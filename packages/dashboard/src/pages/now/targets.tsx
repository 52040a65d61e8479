import { memo, useRef, useState } from 'react';
import { type Target, type TargetAction, useTargetAction } from '../../api/targets.ts';
import { Button } from '../../ui/button.tsx';
import { count } from '../../ui/format.ts';
import { Badge, Card } from '../../ui/layout.tsx';
import { ErrorBox } from '../../ui/states.tsx';
import { Ago, Countdown } from '../../ui/time.tsx';
import { byUrgency, targetState } from './standing.ts';

/** Whether targets take requests, why not, until when, and what to do about it. */
export const Targets = memo(function Targets({ targets }: { readonly targets: readonly Target[] }) {
  const [isWhole, setWhole] = useState(false);
  const sorted = byUrgency(targets);
  const shown = isWhole ? sorted : sorted.slice(0, Math.max(SHOWN, unwell(sorted)));
  return (
    <Card title="Targets">
      {targets.length === 0 ? (
        <p className="muted">No target was used since this process began; each appears with its first request.</p>
      ) : (
        <ul className="now-list now-targets">
          {shown.map((target) => (
            <TargetRow key={`${target.id} ${target.credential}`} target={target} />
          ))}
        </ul>
      )}
      {shown.length < sorted.length && (
        <Button onClick={() => setWhole(true)}>Show {count(sorted.length - shown.length)} more, all well</Button>
      )}
    </Card>
  );
});

const SHOWN = 8;

function unwell(targets: readonly Target[]): number {
  return targets.filter((target) => targetState(target).tone !== 'good').length;
}

const DONE: Readonly<Record<TargetAction, string>> = {
  reset: 'Reset: the next request may go there.',
  drain: 'Drained: nothing new goes there.',
  resume: 'Resumed.',
};

const TargetRow = memo(function TargetRow({ target }: { readonly target: Target }) {
  const row = useRef<HTMLLIElement>(null);
  const act = useTargetAction();
  const { id, drained } = target;
  const { word, tone, why, isClosedOff, isByKey } = targetState(target);
  const button = (action: TargetAction, label: string) => (
    <Button
      look={tone === 'good' ? 'quiet' : 'plain'}
      aria-label={`${label} ${id}`}
      isBusy={act.isPending && act.variables.action === action}
      // The button goes with what it ended, and the focus would go with it.
      onClick={() => act.mutate({ target: id, action }, { onSuccess: () => row.current?.focus() })}
    >
      {label}
    </Button>
  );
  return (
    <li ref={row} tabIndex={-1} className="now-target">
      <div className="now-row">
        <span className="now-target-name">
          <Badge tone={tone}>{word}</Badge> <span className="mono now-name">{id}</span>
        </span>
        {tone === 'good' && <Facts target={target} />}
        <span className="actions">
          {isClosedOff && button('reset', 'Reset')}
          {drained ? button('resume', 'Resume') : button('drain', 'Drain')}
        </span>
      </div>
      {why !== undefined && <p className="now-why">{why}</p>}
      {tone !== 'good' && <Facts target={target} isByKey={isByKey === true} isClosedOff={isClosedOff} />}
      <p className="muted now-done" role="status">
        {act.isSuccess && DONE[act.variables.action]}
      </p>
      {act.isError && <ErrorBox error={act.error} />}
    </li>
  );
});

function Facts(props: { readonly target: Target; readonly isByKey?: boolean; readonly isClosedOff?: boolean }) {
  const { target, isByKey = false, isClosedOff = false } = props;
  const { id, credential, in_flight: inFlight = 0, waiting = 0, available_at: availableAt } = target;
  const { last_success_at: succeededAt, last_failure_at: failedAt } = target;
  const next = 'with the next request';
  return (
    <span className="now-facts muted">
      {availableAt ? (
        <span>
          tried again <Countdown at={availableAt} over={next} />
        </span>
      ) : (
        isClosedOff && <span>tried again {next}</span>
      )}
      {isByKey && <span>closed off with its key, at every target that shares it</span>}
      {credential !== undefined && credential !== id && <span>key {credential}</span>}
      {inFlight > 0 && <span>{count(inFlight)} in flight</span>}
      {waiting > 0 && <span>{count(waiting)} waiting</span>}
      {succeededAt && (
        <span>
          succeeded <Ago at={succeededAt} />
        </span>
      )}
      {failedAt && (
        <span>
          failed <Ago at={failedAt} />
        </span>
      )}
    </span>
  );
}
