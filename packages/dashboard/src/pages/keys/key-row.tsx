import type { Key } from '../../api/keys.ts';
import type { BudgetUse } from '../../api/now.ts';
import { href } from '../../router.ts';
import { BudgetBar } from '../../ui/budget.tsx';
import { Button } from '../../ui/button.tsx';
import { count, usd } from '../../ui/format.ts';
import { Badge, type Tone } from '../../ui/layout.tsx';
import { Ago, Time } from '../../ui/time.tsx';

const TONES: Readonly<Record<Key['status'], Tone>> = { usable: 'good', revoked: 'plain', expired: 'warn' };

/** One key: whose, what it is for, what it has left. */
export function KeyRow(props: {
  readonly of: Key;
  readonly budgets: readonly BudgetUse[];
  readonly onRevoke: () => void;
}) {
  const { of: key, budgets, onRevoke } = props;
  const { name, hint, status, admin, browser } = key;
  return (
    <li className="card keys-row">
      <div className="card-head">
        <div className="keys-name">
          <h2>{name}</h2>
          <Badge tone={TONES[status]}>{status}</Badge>
          {admin && <Badge tone="info">administrator</Badge>}
          {browser && <Badge tone="info">browser</Badge>}
          <code className="muted">{hint}…</code>
        </div>
        <div className="actions">
          <a href={href('generations', undefined, { caller: name })}>Its generations</a>
          {status === 'usable' && (
            <Button look="danger" aria-label={`Revoke ${name}`} onClick={onRevoke}>
              Revoke
            </Button>
          )}
        </div>
      </div>
      <Bounds of={key} />
      {status === 'usable' && budgets.length > 0 && (
        <div className="keys-budgets">
          {budgets.map((budget) => (
            <BudgetBar key={budget.name} budget={budget} />
          ))}
        </div>
      )}
    </li>
  );
}

function Bounds({ of: key }: { readonly of: Key }) {
  const {
    created_at: createdAt,
    expires_at: expiresAt,
    revoked_at: revokedAt,
    budget,
    images,
    rpm,
    models,
    browser,
  } = key;
  return (
    <dl className="keys-bounds">
      <Fact name="Budget">{budget ? `${usd(budget.usd)} ${periodText(budget.per)}` : 'none'}</Fact>
      {images && <Fact name="Images">{`${count(images.count)} ${periodText(images.per)}`}</Fact>}
      <Fact name="Requests a minute">{rpm === null ? 'any' : count(rpm)}</Fact>
      <Fact name="Models">{models === null ? 'all' : <span className="mono">{models.join(', ')}</span>}</Fact>
      {browser && <Fact name="Pages of">{browser.origins.join(', ')}</Fact>}
      {budget && key.allow_unknown_price && <Fact name="Unknown prices">allowed</Fact>}
      <Fact name="Made">
        <Ago at={createdAt} />
      </Fact>
      {revokedAt !== null ? (
        <Fact name="Revoked">
          <Time at={revokedAt} />
        </Fact>
      ) : (
        <Fact name="Expires">{expiresAt === null ? 'never' : <Ago at={expiresAt} />}</Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function periodText(per: string): string {
  if (per === 'total') return 'in all';
  return per === 'hour' ? 'an hour' : `a ${per}`;
}
