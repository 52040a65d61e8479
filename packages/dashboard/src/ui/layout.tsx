import type { ReactNode } from 'react';

/** The frame of every page: its heading, what can be done at the top, and the rest. */
export function Page(props: { readonly title: ReactNode; readonly actions?: ReactNode; readonly children: ReactNode }) {
  const { title, actions, children } = props;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{title}</h1>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

export function Card(props: {
  readonly title?: ReactNode;
  readonly actions?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  const { title, actions, className = '', children } = props;
  return (
    <section className={`card ${className}`}>
      {title !== undefined && (
        <div className="card-head">
          <h2>{title}</h2>
          {actions !== undefined && <div className="actions">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** One number that one looks at first. */
export function Stat(props: {
  readonly label: string;
  readonly value: ReactNode;
  readonly hint?: ReactNode;
  readonly tone?: Tone;
}) {
  const { label, value, hint, tone = 'plain' } = props;
  return (
    <div className="stat">
      <span className="stat-label">{label}</span>
      <span className={`stat-value ${tone}`}>{value}</span>
      {hint !== undefined && <span className="stat-hint muted">{hint}</span>}
    </div>
  );
}

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'info';

/** A word with a colour; the word says it too. */
export function Badge({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  ...{ completed: 'good', failed: 'bad', canceled: 'plain', pending: 'info', processing: 'info' },
  ...{ closed: 'good', open: 'bad', 'half-open': 'warn', ok: 'good', firing: 'bad', silenced: 'plain' },
};

export function Status({ of }: { readonly of: string }) {
  return <Badge tone={STATUS_TONES[of] ?? 'plain'}>{of}</Badge>;
}

/** How much of something is used, 0 to 1 or more. */
export function Meter({ share, label }: { readonly share: number; readonly label: string }) {
  const tone = share >= 1 ? 'bad' : share >= 0.75 ? 'warn' : 'good';
  return (
    <meter className={`meter meter-${tone}`} min={0} max={1} value={Math.min(1, share)} aria-label={label}>
      {Math.round(share * 100)} %
    </meter>
  );
}
