import type { JsonObject } from '@onetake/core';
import { type Command, Option } from 'commander';
import { withGateway } from '../ask.ts';
import { rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { whole } from '../option-values.ts';
import { columns, count, oneLine } from '../text.ts';

export interface WebhookListOptions {
  readonly state?: string;
  readonly generation?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export interface RedeliverOptions {
  readonly givenUp?: boolean;
  readonly json?: boolean;
}

export interface WebhookSecretOptions {
  readonly json?: boolean;
}

const MAX_CELL_CHARACTERS = 60;
const MOST_LISTED = 1_000;
/** Of a thousand deliveries each; what fails again at once must not keep the command running. */
const MAX_ROUNDS = 100;

/** Adds `list`, `redeliver` and `secret` to the command `webhooks`. */
export function describeWebhooks(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('see what was sent to webhooks, send it again, or print the secret that signs it');
  command
    .command('list', { isDefault: true })
    .description('list deliveries, newest first')
    .addOption(new Option('--state <state>', 'only these').choices(['waiting', 'delivered', 'given-up']))
    .option('--generation <id>', 'only those of one generation')
    .option('--limit <n>', 'how many at most', whole(1, MOST_LISTED), 20)
    .option('--json', "print the gateway's JSON")
    .action((options: WebhookListOptions) => run(listWebhooks(context, options)));
  command
    .command('redeliver')
    .description('send again: one delivery, all of a generation, or all that were given up')
    .argument('[id]', "a delivery's id, or a generation's (gen_…)")
    .option('--given-up', 'all that were given up')
    .option('--json', 'print how many as JSON')
    .action((id: string | undefined, options: RedeliverOptions) => run(redeliverWebhooks(context, id, options)));
  command
    .command('secret')
    .description('print the secret that deliveries to this key are signed with')
    .option('--json', 'print it as JSON')
    .action((options: WebhookSecretOptions) => run(webhookSecret(context, options)));
}

/** Lists deliveries, newest first, with what became of each. */
export async function listWebhooks(context: CliContext, options: WebhookListOptions): Promise<number> {
  const { state, generation, limit, json } = options;
  const query = new URLSearchParams({
    limit: String(limit),
    ...(state !== undefined && { state }),
    ...(generation !== undefined && { generation }),
  });
  const body = await withGateway(context, (ask) => ask('GET', `/v1/webhooks?${query}`));
  const rows = rowsOf(body);
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${table(rows)}\n`);
  return EXIT.ok;
}

/** Makes deliveries due again: one, those of a generation, or all that were given up. */
export async function redeliverWebhooks(
  context: CliContext,
  id: string | undefined,
  options: RedeliverOptions,
): Promise<number> {
  if ((id === undefined) === (options.givenUp !== true)) {
    throw new CliError('redeliver: name one delivery or generation by its id, or give --given-up', EXIT.usage);
  }
  const body = id === undefined ? { state: 'given-up' } : { [id.startsWith('gen_') ? 'generation' : 'id']: id };
  let redelivered = 0;
  await withGateway(context, async (ask) => {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const answer = await ask('POST', '/v1/webhooks/redeliver', body);
      redelivered += typeof answer.redelivered === 'number' ? answer.redelivered : 0;
      if (answer.more !== true || id !== undefined) return;
    }
  });
  context.stdout.write(
    options.json
      ? `${JSON.stringify({ redelivered })}\n`
      : `${count(redelivered, 'delivery').replace(/ys$/, 'ies')} due again\n`,
  );
  return EXIT.ok;
}

/** Prints the secret alone, so that it can be piped into where the receiver keeps it. */
export async function webhookSecret(context: CliContext, options: WebhookSecretOptions): Promise<number> {
  const { secret } = await withGateway(context, (ask) => ask('GET', '/v1/webhooks/secret'));
  if (typeof secret !== 'string') throw new CliError('the gateway answered without a secret; is it an older version?');
  context.stdout.write(options.json ? `${JSON.stringify({ secret })}\n` : `${secret}\n`);
  return EXIT.ok;
}

function table(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no webhook deliveries';
  return columns([
    ['delivery', 'event', 'generation', 'created', 'tries', 'what happened'],
    ...rows.map((row) => [
      textCell(row.id, MAX_CELL_CHARACTERS),
      textCell(row.type, MAX_CELL_CHARACTERS),
      textCell(row.generation, MAX_CELL_CHARACTERS),
      timeCell(row.created_at),
      typeof row.tries === 'number' ? String(row.tries) : '-',
      happened(row),
    ]),
  ]);
}

function happened({ state, status, reason, next_try_at: nextAt }: JsonObject): string {
  if (state === 'delivered') return `delivered (${typeof status === 'number' ? status : '-'})`;
  const why = typeof reason === 'string' ? `: ${oneLine(reason, 100)}` : '';
  if (state === 'given-up') return `given up${why}`;
  return `waits${typeof nextAt === 'number' ? ` until ${timeCell(nextAt)}` : ''}${why}`;
}
