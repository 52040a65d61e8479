import type { UseQueryResult } from '@tanstack/react-query';
import type { Estimate } from '../../api/playground.ts';
import { usd } from '../../ui/format.ts';
import { ErrorBox } from '../../ui/states.tsx';
import { AdaptedList } from '../generations/made.tsx';

/** What it would cost and what would be changed, before anything is sent. */
export function Cost({
  estimate,
  why,
}: {
  readonly estimate: UseQueryResult<Estimate>;
  readonly why: string | undefined;
}) {
  const { data, isError, error, isFetching } = estimate;
  if (why !== undefined) return <p className="muted">{why}</p>;
  if (isError) return <ErrorBox error={error} />;
  if (!data)
    return (
      <p className="muted" aria-live="polite">
        {isFetching ? 'Working out what it costs…' : ''}
      </p>
    );
  const changed = (data.adapted ?? []).filter(({ action }) => action !== 'kept');
  return (
    <div className="playground-cost" aria-live="polite">
      <p>
        <strong className="playground-usd">{data.usd === null ? 'The cost is unknown' : usd(data.usd)}</strong>{' '}
        <span className="muted">
          {data.images} {data.images === 1 ? 'picture' : 'pictures'} in {data.calls}{' '}
          {data.calls === 1 ? 'call' : 'calls'}, by <span className="mono">{data.target ?? data.route}</span>
          {data.fallbacks.length > 0 && `, or else ${data.fallbacks.join(', ')}`}
        </span>
      </p>
      <AdaptedList fields={changed} />
      {(data.passed_over ?? []).map(({ target, reason }) => (
        <p key={target} className="muted">
          <span className="mono">{target}</span> would be passed over: {reason}
        </p>
      ))}
      {(data.warnings ?? []).map((warning) => (
        <p key={JSON.stringify(warning)} className="warn">
          {warningWords(warning)}
        </p>
      ))}
    </div>
  );
}

function warningWords(warning: unknown): string {
  if (typeof warning === 'string') return warning;
  const { message, reason } = (warning ?? {}) as { readonly message?: string; readonly reason?: string };
  return message ?? reason ?? JSON.stringify(warning);
}
