import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { Command } from 'commander';
import { withGateway } from '../ask.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { bytesText, columns, count, oneLine, priceText } from '../text.ts';

export interface CacheStatsOptions {
  readonly model?: string;
  readonly json?: boolean;
}

export interface CacheClearOptions extends CacheStatsOptions {
  readonly key?: string;
}

/** Of ten thousand pictures each; what is made meanwhile must not keep the command running. */
const MAX_ROUNDS = 100;

/** Adds `stats` and `clear` to the command `cache`. */
export function describeCache(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('see what is cached and what it saved, or clear it');
  command
    .command('stats', { isDefault: true })
    .description('how much is cached, and what the hits would have cost')
    .option('--model <provider/model>', 'of one model alone')
    .option('--json', "print the gateway's JSON")
    .action((options: CacheStatsOptions) => run(cacheStats(context, options)));
  command
    .command('clear')
    .description('forget what is cached: all of it, that of one model, or what stands under one key')
    .option('--model <provider/model>', 'of one model alone')
    .option('--key <key>', 'what stands under one key, as x-onetake-cache-key tells it')
    .option('--json', 'print what went as JSON')
    .action((options: CacheClearOptions) => run(clearCache(context, options)));
}

/** Prints how much is cached for this API key, per model. */
export async function cacheStats(context: CliContext, { model, json }: CacheStatsOptions): Promise<number> {
  const body = await withGateway(context, (ask) => ask('GET', pathOf({ model })));
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${statsText(body)}\n`);
  return EXIT.ok;
}

/** Clears until nothing of it is left, and prints how much went. */
export async function clearCache(context: CliContext, { model, key, json }: CacheClearOptions): Promise<number> {
  let [entries, bytes] = [0, 0];
  await withGateway(context, async (ask) => {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const answer = await ask('DELETE', pathOf({ model, key }));
      entries += numberOf(answer.entries) ?? 0;
      bytes += numberOf(answer.bytes) ?? 0;
      if (answer.more !== true) return;
    }
  });
  context.stdout.write(
    json ? `${JSON.stringify({ entries, bytes })}\n` : `${results(entries)} cleared, ${bytesText(bytes)}\n`,
  );
  return EXIT.ok;
}

function pathOf(filter: { readonly model?: string | undefined; readonly key?: string | undefined }): string {
  const given = Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return given.length === 0 ? '/v1/cache' : `/v1/cache?${new URLSearchParams(given)}`;
}

function statsText(body: JsonObject): string {
  const models = Array.isArray(body.models) ? body.models.filter(isObject) : [];
  if (models.length === 0) return 'nothing is cached';
  const sums = [numberOf(body.entries) ?? 0, numberOf(body.bytes) ?? 0, numberOf(body.hits) ?? 0] as const;
  const bound = isObject(body.limits) ? numberOf(body.limits.bytes) : undefined;
  const head = `${results(sums[0])}, ${bytesText(sums[1])}${bound === undefined ? '' : ` of ${bytesText(bound)}`}`;
  const saved = `${count(sums[2], 'hit')}, ${priceText(numberOf(body.saved_usd))} saved`;
  return `${head}; ${saved}\n\n${columns([
    ['model', 'results', 'bytes', 'hits', 'saved'],
    ...models.map((row) => [
      nameOf(row.model),
      String(numberOf(row.entries) ?? '-'),
      bytesText(numberOf(row.bytes) ?? 0),
      String(numberOf(row.hits) ?? '-'),
      priceText(numberOf(row.saved_usd)),
    ]),
  ])}`;
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function results(entries: number): string {
  return count(entries, 'result');
}

function nameOf(value: JsonValue | undefined): string {
  return typeof value === 'string' && value !== '' ? oneLine(value, 60) : '-';
}
