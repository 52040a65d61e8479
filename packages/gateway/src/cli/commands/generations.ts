import { CHAT_ENDPOINTS, type JsonObject, type JsonValue } from '@onetake/core';
import { type Command, Option } from 'commander';
import { withGateway } from '../ask.ts';
import { rowsOf, textCell, timeCell } from '../cells.ts';
import { chargeText } from '../charge.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { usd, whole } from '../option-values.ts';
import { columns } from '../text.ts';
import { type RetryOptions, retryGeneration } from './retry.ts';
import { type SettleOptions, settleGeneration } from './settle.ts';
import { showGeneration } from './show-generation.ts';

export interface GenerationsOptions {
  /** Only those whose outcome nobody knows. */
  readonly unknown?: boolean;
  readonly caller?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** Adds `list`, `show`, `settle` and `retry` to the command `generations`. */
export function describeGenerations(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('see what was generated and what it cost, and end outcomes that nobody knows');
  command
    .command('list', { isDefault: true })
    .description('list what was generated, newest first (the default)')
    .option('--unknown', 'only those whose outcome nobody knows, with their possible charge')
    .option('--caller <name>', 'of one key alone')
    .option('--limit <n>', 'how many at most', whole(1, 1_000), 20)
    .option('--json', "print the gateway's JSON")
    .action((options: GenerationsOptions) => run(generations(context, options)));
  command
    .command('show <id>')
    .description('one generation: what became of it, what it cost, its pictures')
    .option('--json', "print the gateway's JSON")
    .action((id: string, options: { readonly json?: boolean }) => run(showGeneration(context, id, options)));
  command
    .command('settle <id>')
    .description('say what became of an outcome nobody knows, as the provider’s bill or its console has it')
    .addOption(new Option('--charged', 'the provider billed it').conflicts('free'))
    .option('--usd <amount>', 'so much, where it is not what was expected', usd)
    .option('--free', 'the provider did not bill it')
    .option('--json', "print the gateway's JSON")
    .action((id: string, options: SettleOptions) => run(settleGeneration(context, id, options)));
  command
    .command('retry <id>')
    .description('make it again, with the same model, parameters and seed, into a file')
    .option('--pay-again', 'although the first may be, or was, billed')
    .option('-o, --output <file>', 'where to write (default: named after the generation)')
    .option('--timeout-ms <ms>', 'how long to wait for the picture', whole(1, 86_400_000))
    .option('--json', 'print what was written as JSON')
    .action((id: string, options: RetryOptions) => run(retryGeneration(context, id, options)));
}

/** Lists what was made, newest first, with what each may have cost. */
export async function generations(
  context: CliContext,
  { unknown, caller, limit, json }: GenerationsOptions,
): Promise<number> {
  const chosen = { ...(unknown && { unknown: '1' }), ...(caller !== undefined && { caller }) };
  const query = new URLSearchParams({ limit: String(limit), ...chosen });
  const body = await withGateway(context, (ask) => ask('GET', `/v1/generations?${query}`), { prefersAdmin: true });
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${table(rowsOf(body), unknown === true)}\n`);
  return EXIT.ok;
}

function table(rows: readonly JsonObject[], unknown: boolean): string {
  if (rows.length === 0) return unknown ? 'no generation has an unknown outcome' : 'no generations yet';
  return columns([
    ['generation', 'created', 'model', 'what happened', 'charge'],
    ...rows.map((row) => [
      textCell(row.id, 60),
      timeCell(row.created_at),
      textCell(row.target ?? row.route, 60),
      happened(row),
      chargeText(row),
    ]),
  ]);
}

const CHAT_PATHS: readonly JsonValue[] = CHAT_ENDPOINTS.map((endpoint) => `/v1/${endpoint}`);

function happened(row: JsonObject): string {
  if (row.status === 'failed') return textCell(row.code, 60);
  // An answer of chat that reached its end reached its caller, or it would have been canceled.
  const isChat = row.endpoint !== undefined && CHAT_PATHS.includes(row.endpoint);
  const isLost = row.status === 'completed' && typeof row.delivered_at !== 'number' && !isChat;
  return isLost ? 'completed, not delivered' : textCell(row.status, 60);
}
