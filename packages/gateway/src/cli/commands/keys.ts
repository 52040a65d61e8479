import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { Command } from 'commander';
import { type Ask, withGateway } from '../ask.ts';
import { numberCell, rowsOf } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { budgetOption, durationOption, imagesOption, several } from '../key-options.ts';
import { amountText, keyFacts, windowLines } from '../key-text.ts';
import { whole } from '../option-values.ts';
import { columns, count, oneLine } from '../text.ts';

export interface CreateKeyOptions {
  readonly name: string;
  readonly budget?: JsonObject;
  readonly images?: JsonObject;
  readonly rpm?: number;
  readonly models?: readonly string[];
  /** ms */
  readonly expires?: number;
  readonly admin?: boolean;
  readonly browser?: boolean;
  readonly origin?: readonly string[];
  readonly allowUnknownPrice?: boolean;
  readonly json?: boolean;
}

interface JsonOption {
  readonly json?: boolean;
}

const MAX_RPM = 60_000;
/** Each takes a question; beyond, a key is looked at by its name. */
const MAX_LOOKED_UP = 200;
const LOOKED_UP_AT_ONCE = 8;

/** Adds `create`, `list`, `show` and `revoke` to the command `keys`. */
export function describeKeys(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('make keys for applications, see what they spend, and revoke them');
  command
    .command('create')
    .description('make a key; it is printed this once')
    .requiredOption('--name <name>', 'who calls with it; a name is never given twice')
    .option('--budget <usd/period>', 'what it may spend, such as 5/day; without a period, in total', budgetOption)
    .option('--images <count/period>', 'how many pictures, such as 100/day', imagesOption)
    .option('--rpm <n>', 'requests in any 60 s', whole(1, MAX_RPM))
    .option('--models <pattern>', "what it may ask for, such as 'image-*'; may be given several times", several)
    .option('--expires <time>', 'when it ends, such as 30d, 12h or 90m', durationOption)
    .option('--admin', 'it may see and change what is everybody’s')
    .option('--browser', 'it is for pages in browsers: of --origin alone, for 1h, at most 24h')
    .option('--origin <origin>', 'of a page, such as https://app.example; may be given several times', several)
    .option('--allow-unknown-price', 'with a budget: models whose price nobody knows may be used')
    .option('--json', "print the gateway's JSON")
    .action((options: CreateKeyOptions) => run(createKey(context, options)));
  command
    .command('list', { isDefault: true })
    .description('list the keys with what they spent in the windows that run')
    .option('--json', "print the gateway's JSON")
    .action((options: JsonOption) => run(listKeys(context, options)));
  command
    .command('show <name>')
    .description('one key, and what is spent, held and left')
    .option('--json', "print the gateway's JSON")
    .action((name: string, options: JsonOption) => run(showKey(context, name, options)));
  command
    .command('revoke <name>')
    .description('end a key for good; requests that came before go on')
    .option('--json', "print the gateway's JSON")
    .action((name: string, options: JsonOption) => run(revokeKey(context, name, options)));
}

/** Prints the key alone on stdout, so that a script can take it, and the rest on stderr. */
export async function createKey(context: CliContext, options: CreateKeyOptions): Promise<number> {
  const { name, budget, images, rpm, models, expires, json, origin } = options;
  if ((options.browser === true) !== (origin !== undefined))
    throw new CliError(
      '--browser and --origin go together: a key for a browser is for pages of its origins',
      EXIT.usage,
    );
  const wanted: JsonObject = {
    name,
    ...(budget && { budget }),
    ...(images && { images }),
    ...(rpm !== undefined && { rpm }),
    ...(models && { models }),
    ...(expires !== undefined && { expires_in_ms: expires }),
    ...(options.admin && { admin: true }),
    ...(options.allowUnknownPrice && { allow_unknown_price: true }),
    ...(origin && { browser: { origins: origin } }),
  };
  return withGateway(context, async (ask, { url, own }) => {
    const isFirst = !(await listed(ask)).some(isUnrevoked);
    const made = await ask('POST', '/v1/keys', wanted);
    const { stdout, stderr } = context;
    if (json) {
      stdout.write(`${JSON.stringify(made)}\n`);
      return EXIT.ok;
    }
    stderr.write(`${keyFacts(made)}\nThis key is shown this once; the gateway keeps its digest alone:\n`);
    stdout.write(`${textAt(made, 'key')}\n`);
    const where = own ? 'the gateway’s address with /v1' : `${url}/v1`;
    stderr.write(`An application uses it as OPENAI_API_KEY, with OPENAI_BASE_URL=${where}\n`);
    if (isFirst) stderr.write(`${FIRST}\n`);
    return EXIT.ok;
  });
}

const FIRST = 'From now on nobody calls this gateway without a key; commands on this machine use its admin.key.';
const LAST =
  'No key is left. Unless ONETAKE_API_KEYS or ONETAKE_ADMIN_KEY is set, whoever reaches the gateway on this machine calls it without one again.';

/** Prints the keys, the latest last. */
export async function listKeys(context: CliContext, { json }: JsonOption): Promise<number> {
  const keys = await withGateway(context, async (ask) => lookUp(await listed(ask), ask));
  if (json) context.stdout.write(`${JSON.stringify({ object: 'list', data: keys })}\n`);
  else context.stdout.write(keys.length === 0 ? 'no keys\n' : `${tableOf(keys)}\n`);
  return EXIT.ok;
}

/** Prints one key. */
export async function showKey(context: CliContext, name: string, { json }: JsonOption): Promise<number> {
  const key = await withGateway(context, (ask) => ask('GET', pathOf(name)));
  const lines = [keyFacts(key), ...windowLines(key)];
  context.stdout.write(json ? `${JSON.stringify(key)}\n` : `${lines.join('\n')}\n`);
  return EXIT.ok;
}

/** Revokes a key; one that was revoked before stays as it is. */
export async function revokeKey(context: CliContext, name: string, { json }: JsonOption): Promise<number> {
  return withGateway(context, async (ask) => {
    const key = await ask('DELETE', pathOf(name));
    context.stdout.write(json ? `${JSON.stringify(key)}\n` : `${keyFacts(key)}\n`);
    const isLast = !(await listed(ask)).some(isUnrevoked);
    if (isLast && !json) context.stderr.write(`${LAST}\n`);
    return EXIT.ok;
  });
}

async function listed(ask: Ask): Promise<readonly JsonObject[]> {
  return rowsOf(await ask('GET', '/v1/keys'));
}

/** What was spent is asked for key by key, of those that have a budget and can be used. */
async function lookUp(keys: readonly JsonObject[], ask: Ask): Promise<readonly JsonObject[]> {
  const isBudgeted = (key: JsonObject) => key.status === 'usable' && (isObject(key.budget) || isObject(key.images));
  const wanted = keys.filter(isBudgeted).slice(0, MAX_LOOKED_UP);
  const found = new Map<JsonValue | undefined, JsonObject>();
  for (let from = 0; from < wanted.length; from += LOOKED_UP_AT_ONCE) {
    const chunk = wanted.slice(from, from + LOOKED_UP_AT_ONCE);
    const views = await Promise.all(chunk.map((key) => ask('GET', pathOf(textAt(key, 'name')))));
    for (const view of views) found.set(view.name, view);
  }
  return keys.map((key) => found.get(key.name) ?? key);
}

function tableOf(keys: readonly JsonObject[]): string {
  const rows = keys.map((key) => [
    oneLine(textAt(key, 'name'), 64),
    key.admin === true ? 'admin' : isObject(key.browser) ? 'browser' : 'app',
    textAt(key, 'status'),
    amountText(key, 'usd'),
    amountText(key, 'images'),
    numberCell(key.rpm),
    Array.isArray(key.models) ? oneLine(key.models.join(' '), 40) : 'all',
    typeof key.expires_at === 'number' ? new Date(key.expires_at).toISOString().slice(0, 16) : '-',
  ]);
  const table = columns([['name', 'kind', 'status', 'money', 'images', 'rpm', 'models', 'expires (UTC)'], ...rows]);
  return `${table}\n\n${count(keys.length, 'key')}`;
}

function isUnrevoked({ status }: JsonObject): boolean {
  return status !== 'revoked';
}

function pathOf(name: string): string {
  return `/v1/keys/${encodeURIComponent(name)}`;
}

function textAt(view: JsonObject, field: string): string {
  const value = view[field];
  return typeof value === 'string' ? value : '';
}
