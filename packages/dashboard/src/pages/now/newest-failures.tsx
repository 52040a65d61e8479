import { memo } from 'react';
import type { FailureGroup } from '../../api/failures.ts';
import { href } from '../../router.ts';
import { count } from '../../ui/format.ts';
import { Card } from '../../ui/layout.tsx';
import { Ago } from '../../ui/time.tsx';

/** What went wrong last, each once, with what to do. */
export const NewestFailures = memo(function NewestFailures({
  failures,
}: {
  readonly failures: readonly FailureGroup[];
}) {
  return (
    <Card title="Newest failures" actions={failures.length > 0 && <a href={href('failures')}>All failures</a>}>
      {failures.length === 0 ? (
        <p className="muted">Nothing failed in the last day.</p>
      ) : (
        <ul className="now-list">
          {failures.map(
            ({ fingerprint, message, target, code, kind, count: times, last_at: lastAt, advice, generation }) => (
              <li key={fingerprint}>
                <div className="now-row">
                  <a href={href('generations', generation)} className="now-prompt">
                    {message}
                  </a>
                  <Ago at={lastAt} />
                </div>
                <div className="now-facts muted">
                  <code>{code ?? kind}</code>
                  {target !== null && <span className="mono">{target}</span>}
                  {times > 1 && <a href={href('failures')}>{count(times)} times</a>}
                </div>
                <p className="now-advice">{advice}</p>
              </li>
            ),
          )}
        </ul>
      )}
    </Card>
  );
});
