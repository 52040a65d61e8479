import { useBudgets } from '../../api/now.ts';
import { href } from '../../router.ts';
import { BudgetBar } from '../../ui/budget.tsx';
import { budgetShare } from '../../ui/budget-words.ts';
import { Card } from '../../ui/layout.tsx';
import { Queried } from '../../ui/states.tsx';

/** What keys have left, the fullest first. */
export function KeyBudgets() {
  const query = useBudgets();
  return (
    <Card title="Budgets of keys" actions={<a href={href('keys')}>Keys</a>}>
      <Queried query={query} what="the budgets">
        {(budgets) =>
          budgets.length === 0 ? (
            <p className="muted">
              No key has a budget. A key that is made with one gets a 402 at its end, before anything is sent.
            </p>
          ) : (
            <div className="costs-budgets">
              {budgets
                .toSorted((one, other) => budgetShare(other) - budgetShare(one))
                .map((budget) => (
                  <BudgetBar key={`${budget.key} ${budget.name}`} budget={budget} showsKey />
                ))}
            </div>
          )
        }
      </Queried>
    </Card>
  );
}
