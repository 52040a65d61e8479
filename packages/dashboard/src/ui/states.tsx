import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiError, wordsOf } from '../api/client.ts';
import { Button } from './button.tsx';

/** Shown while something is fetched; said to screen readers at once, seen after a moment, so that nothing flickers. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p className="loading" role="status">
      Loading {what}…
    </p>
  );
}

/** Nothing is there, and what to do to have something. */
export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className="empty">{children}</div>;
}

/** What went wrong, in the gateway's own words, with its advice. */
export function ErrorBox({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => unknown }) {
  const told = error instanceof ApiError ? error : undefined;
  return (
    <div className="error-box" role="alert">
      <p>
        <strong>{wordsOf(error)}</strong>
      </p>
      {told?.advice !== undefined && <p>{told.advice}</p>}
      {told && (
        <p className="muted">
          <code>{told.code}</code>
          {told.requestId !== undefined && <> · request {told.requestId}</>}
        </p>
      )}
      {onRetry && <Button onClick={() => onRetry()}>Try again</Button>}
    </div>
  );
}

/** What a query has, or why it has nothing yet. What was there stays while it is asked again. */
export function Queried<Data>(props: {
  readonly query: UseQueryResult<Data>;
  readonly what: string;
  readonly children: (data: Data) => ReactNode;
}) {
  const { query, what, children } = props;
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <ErrorBox error={query.error} onRetry={query.refetch} />;
  return <Loading what={what} />;
}
