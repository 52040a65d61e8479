import { memo } from 'react';
import type { BudgetUse, LimitUse } from '../../api/now.ts';
import { href } from '../../router.ts';
import { BudgetBar } from '../../ui/budget.tsx';
import { budgetShare } from '../../ui/budget-words.ts';
import { count } from '../../ui/format.ts';
import { Card, Meter } from '../../ui/layout.tsx';
import { isBinding, limitUseText } from './standing.ts';

const SHOWN_LIMITS = 4;
const SHOWN_BUDGETS = 8;

/** What stands against more: the providers' limits and the keys' budgets, the fullest first. */
export const Pressures = memo(function Pressures(props: {
  readonly limits: readonly LimitUse[];
  readonly budgets: readonly BudgetUse[];
}) {
  const limits = props.limits.filter(({ used }) => used > 0).slice(0, SHOWN_LIMITS);
  const budgets = props.budgets.toSorted((one, other) => budgetShare(other) - budgetShare(one)).slice(0, SHOWN_BUDGETS);
  return (
    <Card title="Limits and budgets">
      <h3>Limits</h3>
      {limits.length === 0 ? (
        <p className="muted">No known limit is in use. Providers tell theirs with their answers.</p>
      ) : (
        <ul className="now-list">
          {limits.map((limit) => (
            <li key={`${limit.target} ${limit.dimension} ${limit.window_ms}`}>
              <div className="now-row">
                <span className="mono now-name">{limit.target}</span>
                <span className="muted">
                  {limitUseText(limit)}
                  {isBinding(limit) && '; binds'}
                  {limit.waiting > 0 && `; ${count(limit.waiting)} waiting`}
                </span>
              </div>
              <Meter share={limit.share} label={`${limit.target}: ${limitUseText(limit)}`} />
            </li>
          ))}
        </ul>
      )}
      <h3>Budgets</h3>
      {budgets.length === 0 ? (
        <p className="muted">
          No key has a budget. <a href={href('keys')}>Keys</a> are where one is given.
        </p>
      ) : (
        <ul className="now-list">
          {budgets.map((budget) => (
            <li key={`${budget.key} ${budget.name} ${budget.unit}`}>
              <BudgetBar budget={budget} showsKey />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
});
