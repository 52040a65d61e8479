import { checkHold } from '../budget-use.ts';
import type { GroupCommit } from '../group-commit.ts';
import type { AssetListing, Ledger } from '../ledger.ts';
import { bookedColumns } from '../ledger-row.ts';
import { checkDimensions, costRow, failureGroup } from '../ledger-sql.ts';
import { LostRunError } from '../store.ts';
import type { Operation, Operations } from './batch.ts';
import type { Columns } from './rows.ts';

type Result<Name extends keyof Operations> = ReturnType<Operations[Name]>;
type CheckCount = (name: string, count: number, max: number) => void;

const nothing = () => {};

/** The verbs of the ledger as operations; `checkCount` refuses what may not be asked for at once. */
export function ledgerVerbs(commit: GroupCommit<Operation>, checkCount: CheckCount): Ledger {
  return {
    hold: async (hold) => {
      checkHold(hold);
      return commit.submit(['hold', hold], (answer: Result<'hold'>) => {
        if (answer === undefined) throw new LostRunError(hold.generation, hold.run);
        return answer;
      });
    },
    uses: (caller, windows) => commit.submit(['uses', caller, windows], (uses: Result<'uses'>) => uses),
    book: (lines) => commit.submit(['book', lines.map(bookedColumns)], nothing),
    costs: async (filter) => {
      checkCount('limit', filter.limit, 10_000);
      checkDimensions(filter.by);
      return commit.submit(['costs', filter], (rows: Result<'costs'>) => rows.map(costRow));
    },
    failures: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      return commit.submit(['failures', filter], (rows: Result<'failures'>) => rows.map(failureGroup));
    },
    findByRequestId: (requestId) =>
      commit.submit(['findByRequestId', requestId], (ids: Result<'findByRequestId'>) => ids),
    settle: (settlement) => commit.submit(['settle', settlement], (answer: Result<'settle'>) => answer),
    listAssets: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      return commit.submit(['listAssets', filter], (rows: Result<'listAssets'>) => rows.map(assetListing));
    },
  };
}

/** The columns are named and typed by the query; what is null there is absent here. */
function assetListing({ generation, ...asset }: Columns): AssetListing {
  return { ...asset, ...(generation !== null && { generation }) } as unknown as AssetListing;
}
