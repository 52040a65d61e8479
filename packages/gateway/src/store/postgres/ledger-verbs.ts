import { checkHold } from '../budget-use.ts';
import type { AssetListing, Ledger } from '../ledger.ts';
import { bookedColumns } from '../ledger-row.ts';
import {
  assetsSql,
  costRow,
  costsSql,
  type Dialect,
  failureGroup,
  failuresSql,
  findByRequestIdSql,
  type Sql,
} from '../ledger-sql.ts';
import { LostRunError } from '../store.ts';
import { hold, USES, windowRow } from './budgets.ts';
import type { Lane } from './lane.ts';
import { book } from './ledger.ts';
import type { Reader } from './reads.ts';
import { present } from './rows.ts';
import { settle } from './settle.ts';
import type { Statement } from './verb.ts';

interface LedgerLanes {
  readonly generations: Lane;
  readonly reader: Reader;
}

type CheckCount = (name: string, count: number, max: number) => void;

const DIALECT: Dialect = {
  parameter: (number) => `$${number}`,
  list: (column) => `json_agg(${column})::text`,
};
const FIND_BY_REQUEST_ID: Statement = { name: 'find-by-request-id', text: findByRequestIdSql(DIALECT) };

const nothing = () => {};
const same = <Result>(result: Result) => result;

/** The verbs of the ledger; `checkCount` refuses what may not be asked for at once. */
export function ledgerVerbs({ generations, reader }: LedgerLanes, checkCount: CheckCount): Ledger {
  const ask = ({ text, values }: Sql) => reader.readBehind(generations, { text }, values);
  return {
    hold: async (wanted) => {
      checkHold(wanted);
      return generations.submit(hold, wanted, (answer) => {
        if (answer === undefined) throw new LostRunError(wanted.generation, wanted.run);
        return answer;
      });
    },
    uses: async (caller, windows) => {
      const wanted = windows.map((window) => windowRow(caller, window));
      const rows = await reader.readBehind(generations, USES, [JSON.stringify(wanted)]);
      return wanted.map(({ name, unit, since }) => {
        const row = rows.find((one) => one.name === name && one.unit === unit && one.since === since);
        return { name, spent: Number(row?.spent), held: Number(row?.held) };
      });
    },
    book: (lines) => generations.submit(book, lines.map(bookedColumns), nothing),
    costs: async (filter) => {
      checkCount('limit', filter.limit, 10_000);
      return (await ask(costsSql(filter, DIALECT))).map(costRow);
    },
    failures: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      return (await ask(failuresSql(filter, DIALECT))).map(failureGroup);
    },
    findByRequestId: async (requestId) => {
      const rows = await reader.readBehind(generations, FIND_BY_REQUEST_ID, [requestId]);
      return rows.map(({ id }) => String(id));
    },
    settle: (settlement) => generations.submit(settle, settlement, same),
    listAssets: async (filter) => {
      checkCount('limit', filter.limit, 1_000);
      return (await ask(assetsSql(filter, DIALECT))).map((row) => present<AssetListing>(row));
    },
  };
}
