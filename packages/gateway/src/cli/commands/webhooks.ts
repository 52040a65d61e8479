import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { type Command, Option } from 'commander';
import { type CallOptions, call } from '../call.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT, messageOf } from '../exit.ts';
import { readRefused } from '../image-call.ts';
import { whole } from '../option-values.ts';
import { reachGateway } from '../reach.ts';
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

const TIMEOUT_MS = 30_000;
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
  const body = await withGateway(context, (ask) => ask(`/v1/webhooks?${query}`));
  const rows = Array.isArray(body.data) ? body.data.filter(isObject) : [];
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
  const request = { method: 'POST', body: Buffer.from(JSON.stringify(body)) } as const;
  let redelivered = 0;
  await withGateway(context, async (ask) => {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const answer = await ask('/v1/webhooks/redeliver', request);
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
  const { secret } = await withGateway(context, (ask) => ask('/v1/webhooks/secret'));
  if (typeof secret !== 'string') throw new CliError('the gateway answered without a secret; is it an older version?');
  context.stdout.write(options.json ? `${JSON.stringify({ secret })}\n` : `${secret}\n`);
  return EXIT.ok;
}

type Ask = (path: string, request?: Pick<CallOptions, 'method' | 'body'>) => Promise<JsonObject>;

async function withGateway<Result>(context: CliContext, use: (ask: Ask) => Promise<Result>): Promise<Result> {
  const gateway = await reachGateway(context);
  try {
    return await use(async (path, request = {}) => {
      const headers = { ...gateway.headers, ...(request.body && { 'content-type': 'application/json' }) };
      const options = { ...request, headers, timeoutMs: TIMEOUT_MS, signal: context.signal };
      const answer = await call(`${gateway.url}${path}`, options).catch((error: unknown) => {
        throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}`);
      });
      if (answer.status !== 200 || answer.body === undefined) throw new CliError(oneLine(readRefused(answer).message));
      return answer.body;
    });
  } finally {
    await gateway.close();
  }
}

function table(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no webhook deliveries';
  return columns([
    ['delivery', 'event', 'generation', 'created', 'tries', 'what happened'],
    ...rows.map((row) => [
      cell(row.id),
      cell(row.type),
      cell(row.generation),
      timeOf(row.created_at),
      typeof row.tries === 'number' ? String(row.tries) : '-',
      happened(row),
    ]),
  ]);
}

function happened({ state, status, reason, next_try_at: nextAt }: JsonObject): string {
  if (state === 'delivered') return `delivered (${typeof status === 'number' ? status : '-'})`;
  const why = typeof reason === 'string' ? `: ${oneLine(reason, 100)}` : '';
  if (state === 'given-up') return `given up${why}`;
  return `waits${typeof nextAt === 'number' ? ` until ${timeOf(nextAt)}` : ''}${why}`;
}

function cell(value: JsonValue | undefined): string {
  return typeof value === 'string' && value !== '' ? oneLine(value, 60) : '-';
}

function timeOf(value: JsonValue | undefined): string {
  return typeof value === 'number' ? new Date(value).toISOString().slice(0, 19).replace('T', ' ') : '-';
}
