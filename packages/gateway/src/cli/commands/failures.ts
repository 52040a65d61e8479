import type { JsonObject } from '@onetake/core';
import type { Command } from 'commander';
import { withGateway } from '../ask.ts';
import { numberCell, rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { whole } from '../option-values.ts';
import { heading, oneLine, widthOf, wrapped } from '../text.ts';

export interface FailuresOptions {
  readonly since: string;
  readonly until?: string;
  readonly caller?: string;
  readonly limit: number;
  readonly json?: boolean;
}

const MAX_MESSAGE_CHARS = 300;

/** Adds its options to the command `failures`. */
export function describeFailures(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command
    .description('what went wrong, each failure once however often it came, the latest first')
    .option('--since <time>', 'so long ago, such as 7d or 12h, or a day such as 2026-11-21 (UTC)', '7d')
    .option('--until <time>', 'the same; a day counts whole (default: now)')
    .option('--caller <name>', 'of one key alone')
    .option('--limit <n>', 'how many at most', whole(1, 1_000), 20)
    .option('--json', "print the gateway's JSON")
    .action((options: FailuresOptions) => run(failures(context, options)));
}

/** Prints the failures of some time, with what to do about each. */
export async function failures(
  context: CliContext,
  { since, until, caller, limit, json }: FailuresOptions,
): Promise<number> {
  const given = { since, limit: String(limit), ...(until !== undefined && { until }) };
  const query = new URLSearchParams({ ...given, ...(caller !== undefined && { caller }) });
  const body = await withGateway(context, (ask) => ask('GET', `/v1/failures?${query}`), { prefersAdmin: true });
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${listText(body, context)}\n`);
  return EXIT.ok;
}

function listText(body: JsonObject, context: CliContext): string {
  const rows = rowsOf(body);
  if (rows.length === 0) return `nothing failed from ${timeCell(body.since)} to ${timeCell(body.until)} UTC`;
  return rows.map((row) => blockText(row, context)).join('\n\n');
}

/** One failure, its facts below it. */
function blockText(row: JsonObject, context: CliContext): string {
  const where = typeof row.target === 'string' ? ` at ${textCell(row.target)}` : '';
  const code = textCell(row.code === null ? row.kind : row.code);
  const [first, last] = [timeCell(row.first_at), timeCell(row.last_at)];
  const when = first === last ? `${last} UTC` : `${first} to ${last} UTC`;
  const keys = Array.isArray(row.keys) ? row.keys.filter((one) => typeof one === 'string') : [];
  const width = widthOf(context.stdout);
  return [
    heading(`${numberCell(row.count)} × ${code}${where}`, context.stdout, context),
    ...wrapped(oneLine(typeof row.message === 'string' ? row.message : '', MAX_MESSAGE_CHARS), '  ', '  ', width),
    `  ${when}; by ${keys.length === 0 ? '-' : oneLine(keys.join(', '), 100)}; the latest is ${textCell(row.generation)}`,
    ...wrapped(textCell(row.advice, 500), '  → ', '    ', width),
  ].join('\n');
}
