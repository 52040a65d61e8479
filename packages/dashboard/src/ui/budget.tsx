import type { BudgetUse } from '../api/now.ts';
import { budgetShare, budgetText } from './budget-words.ts';
import { Meter } from './layout.tsx';
import { Countdown } from './time.tsx';
import './budget.css';

/** One window of a key's budget as a bar, with when it begins anew. */
export function BudgetBar({ budget, showsKey = false }: { readonly budget: BudgetUse; readonly showsKey?: boolean }) {
  const { key, until } = budget;
  return (
    <div className="budget">
      <div className="budget-words">
        {showsKey && <span>{key}</span>}
        <span className="muted">
          {budgetText(budget)}
          {until !== null && (
            <>
              , anew <Countdown at={until} over="now" />
            </>
          )}
        </span>
      </div>
      <Meter share={budgetShare(budget)} label={`${key}: ${budgetText(budget)}`} />
    </div>
  );
}
