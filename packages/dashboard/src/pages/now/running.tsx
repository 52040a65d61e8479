import { memo } from 'react';
import type { RunningGeneration, WaitingQueue } from '../../api/now.ts';
import { href } from '../../router.ts';
import { count, duration, percent } from '../../ui/format.ts';
import { Card } from '../../ui/layout.tsx';
import { Elapsed } from '../../ui/time.tsx';

/** What is worked on, and what waits for its turn. */
export const Running = memo(function Running(props: {
  readonly running: readonly RunningGeneration[];
  readonly runningCount: number;
  readonly waiting: readonly WaitingQueue[];
  readonly waitingCount: number;
}) {
  const { running, runningCount, waiting, waitingCount } = props;
  return (
    <Card title={`Running (${count(runningCount)})`}>
      {running.length === 0 ? (
        <p className="muted">Nothing runs. What does is shown here from its first byte to its end.</p>
      ) : (
        <ul className="now-list">
          {running.map((one) => (
            <RunningRow key={one.id} one={one} />
          ))}
        </ul>
      )}
      {runningCount > running.length && <p className="muted">and {count(runningCount - running.length)} more</p>}
      {waitingCount > 0 && (
        <>
          <h3>Waiting ({count(waitingCount)})</h3>
          <ul className="now-list">
            {waiting.map(({ queue, waiting: waits, eta_ms: etaMs }) => (
              <li key={queue} className="now-row">
                <span className="mono now-name">{queue}</span>
                <span className="muted nowrap">
                  {count(waits)} {waits === 1 ? 'waits' : 'wait'}
                  {etaMs !== null && `, about ${duration(etaMs)}`}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
});

const RunningRow = memo(function RunningRow({ one }: { readonly one: RunningGeneration }) {
  const { id, prompt, route, caller, target, attempt, stage, progress, makes, created_at: createdAt } = one;
  const where = target === null || target === route ? route : `${route} → ${target}`;
  return (
    <li>
      <div className="now-row">
        <a href={href('generations', id)} className="now-prompt">
          {prompt || (makes === 'chat' ? 'chat' : id)}
        </a>
        <Elapsed at={createdAt} />
      </div>
      <div className="now-facts muted">
        <span className="mono">{where}</span>
        <span>{caller}</span>
        {attempt > 1 && <span>attempt {attempt}</span>}
        {stage !== null && <span>{stage.replaceAll('_', ' ')}</span>}
        {progress !== null && (
          <span className="now-progress">
            <progress max={1} value={progress} aria-label="Progress" /> {percent(progress)}
          </span>
        )}
      </div>
    </li>
  );
});
