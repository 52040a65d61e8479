import type { Change } from '../store.ts';

/** A row as PostgreSQL gives it: by column, with null for what is absent; whole numbers and fractions are numbers. */
export type Columns = Readonly<Record<string, string | number | boolean | Uint8Array | null>>;

export type Parameter = string | number | boolean | Uint8Array | readonly string[] | readonly number[] | null;

/** SQL that every connection prepares once, under its name; without a name it is planned for its values each time. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/** What a verb sees of the transaction that its batch is. */
export interface Transaction {
  /** Sends the statement at once, behind those sent before it. */
  query(statement: Statement, values: readonly Parameter[]): Promise<readonly Columns[]>;
  /** Every node is told when the transaction is durable. */
  tell(change: Change): void;
}

/** What of the budgets an operation changes: anything, or only sums of the callers that it names or whose generations. */
export type Counts = 'anything' | { readonly callers?: readonly string[]; readonly generations?: readonly string[] };

/** One kind of operation that writes. */
export interface Verb<Args, Result> {
  /** What its result depends on or changes: only operations that touch nothing in common may change places. */
  touches(args: Args): readonly string[] | 'everything';
  /** Which of the budgets it changes, where it does; they are locked before anything else of the transaction. */
  counts?(args: Args): Counts | undefined;
  /** Bytes to send, where it may be many. */
  weigh?(args: Args): number;
  /** Several operations that touch nothing in common may be given to one call of `run`. */
  readonly joins?: true;
  /** Its later statements need results of its earlier ones. Otherwise `run` sends all of them before it first waits. */
  readonly inSteps?: true;
  /** Results in the operations' order. */
  run(transaction: Transaction, operations: readonly Args[]): Promise<readonly Result[]>;
}

export interface Operation {
  readonly verb: Verb<unknown, unknown>;
  readonly args: unknown;
}

/** The names under which verbs touch the same things. */
export const touching = {
  generation: (id: string) => `generation ${id}`,
  webhook: (id: string) => `webhook ${id}`,
  key: (...scope: readonly string[]) => `key ${JSON.stringify(scope)}`,
  cell: (key: string) => `cell ${key}`,
  cached: (key: string) => `cached ${key}`,
  picture: (hash: string, type: string) => `picture ${hash}.${type}`,
};
