import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { microUsdOf, usdText } from '../../money/usd.ts';
import { withGateway } from '../ask.ts';
import { rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { columns } from '../text.ts';

export interface CostsOptions {
  readonly by?: string;
  readonly since: string;
  readonly until?: string;
  readonly caller?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** Adds its options to the command `costs`. */
export function describeCosts(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command
    .description('what was spent, on what: a line for each group, and a total')
    .option('--by <groups>', 'of model, provider, route, key, day, hour, kind, with commas between', groups, 'model')
    .option('--since <time>', 'so long ago, such as 7d or 12h, or a day such as 2026-11-21 (UTC)', '7d')
    .option('--until <time>', 'the same; a day counts whole (default: now)')
    .option('--caller <name>', 'of one key alone')
    .addOption(new Option('--csv', 'print lines for a spreadsheet').conflicts('json'))
    .option('--json', "print the gateway's JSON")
    .action((options: CostsOptions) => run(costs(context, options)));
}

function groups(text: string): string {
  if (/^[a-z]+(,[a-z]+)*$/.test(text)) return text;
  throw new InvalidArgumentError('expected names with commas between them, such as model,key,day');
}

/** Prints what was spent, from what the ledger has. */
export async function costs(
  context: CliContext,
  { by = 'model', since, until, caller, json, csv }: CostsOptions,
): Promise<number> {
  const given = { by, since, ...(until !== undefined && { until }), ...(caller !== undefined && { caller }) };
  const body = await withGateway(context, (ask) => ask('GET', `/v1/costs?${new URLSearchParams(given)}`), {
    prefersAdmin: true,
  });
  if (json) context.stdout.write(`${JSON.stringify(body)}\n`);
  else context.stdout.write(csv ? csvText(body) : `${table(body)}\n`);
  if (body.truncated === true)
    context.stderr.write('note: there are more groups than one answer holds; ask for fewer, or for less time\n');
  return EXIT.ok;
}

type Field = readonly [heading: string, text: (row: JsonObject) => string];

const FIELDS: readonly Field[] = [
  ['requests', amount('requests')],
  ['images', amount('images')],
  ['spent', money('spent_usd')],
  ['retried', money('retried_usd')],
  ['fallback', money('fallback_usd')],
  ['refused', counted('refused', 'refused_usd')],
  ['cached (saved)', counted('cached', 'saved_usd')],
  ['unknown (possible)', counted('unknown', 'possible_usd')],
  ['unpriced', count('unpriced')],
];

function table(body: JsonObject): string {
  const rows = rowsOf(body);
  const by = namesOf(body.by);
  const stretch = `${timeCell(body.since)} to ${timeCell(body.until)} UTC`;
  if (rows.length === 0) return `nothing was asked for from ${stretch}`;
  const total = isObject(body.total) ? body.total : {};
  const lines = [...rows, total].map((row) => FIELDS.map(([, text]) => text(row)));
  const widths = FIELDS.map(([heading], index) =>
    Math.max(heading.length, ...lines.map((line) => line[index]?.length ?? 0)),
  );
  // Amounts are compared by their last digits.
  const right = (cells: readonly string[]) => cells.map((cell, index) => cell.padStart(widths[index] ?? 0));
  const named = rows.map((row) => by.map((one) => groupCell(row, one)));
  const isUnpriced = typeof total.unpriced === 'number' && total.unpriced > 0;
  return [
    columns([
      [...by, ...right(FIELDS.map(([heading]) => heading))],
      ...[...named, by.map((_, index) => (index === 0 ? 'total' : ''))].map((names, index) => [
        ...names,
        ...right(lines[index] ?? []),
      ]),
    ]),
    '',
    `${stretch}; retried and fallback are parts of spent, possible is not`,
    ...(isUnpriced ? [UNPRICED] : []),
  ].join('\n');
}

/** What was refused here, before anybody was asked, has no model. */
function groupCell(row: JsonObject, by: string): string {
  const isTarget = by === 'model' || by === 'provider';
  return row[by] === null && isTarget ? '(nobody asked)' : textCell(row[by], 60);
}

const UNPRICED =
  'unpriced attempts are not in the sums, because nobody knows what they cost; where a model has no price, say it in onetake.yaml, under models:';

function namesOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function amount(field: string) {
  return (row: JsonObject) => (typeof row[field] === 'number' ? String(row[field]) : '-');
}

function count(field: string) {
  return (row: JsonObject) => (row[field] === 0 ? '-' : amount(field)(row));
}

function money(field: string) {
  return ({ [field]: usd }: JsonObject) => (typeof usd !== 'number' || usd === 0 ? '-' : usdText(microUsdOf(usd)));
}

/** How many, and their money: `3 ($0.12)`. */
function counted(field: string, moneyField: string) {
  return (row: JsonObject) => {
    const [many, usd] = [count(field)(row), money(moneyField)(row)];
    return usd === '-' ? many : `${many} (${usd})`;
  };
}

const CSV_FIELDS = [
  'requests',
  'attempts',
  'images',
  'spent_usd',
  'retried_usd',
  'fallback_usd',
  'refused',
  'refused_usd',
  'cached',
  'saved_usd',
  'unknown',
  'possible_usd',
  'unpriced',
];

/** The groups alone: a spreadsheet adds them up. */
function csvText(body: JsonObject): string {
  const names = [...namesOf(body.by), ...CSV_FIELDS];
  const lines = [names, ...rowsOf(body).map((row) => names.map((name) => csvCell(row[name])))];
  return lines.map((cells) => `${cells.join(',')}\n`).join('');
}

/** What begins like a formula is not to be taken for one. */
function csvCell(value: JsonValue | undefined): string {
  if (typeof value === 'number') return decimalText(value);
  const text = typeof value === 'string' ? value : '';
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Millionths without an exponent. */
function decimalText(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(6).replace(/0+$/, '');
}
