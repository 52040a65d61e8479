import type { JsonObject } from '@onetake/core';
import type { Command } from 'commander';
import { withGateway } from '../ask.ts';
import { rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { whole } from '../option-values.ts';
import { bytesText, columns, count } from '../text.ts';

export interface AssetListOptions {
  readonly limit: number;
  readonly json?: boolean;
}

export interface AssetOptions {
  readonly json?: boolean;
}

/** Adds `list` and `show` to the command `assets`. */
export function describeAssets(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('see the pictures that are stored, and what they belong to');
  command
    .command('list', { isDefault: true })
    .description('list stored pictures, newest first')
    .option('--limit <n>', 'how many at most', whole(1, 1_000), 20)
    .option('--json', "print the gateway's JSON")
    .action((options: AssetListOptions) => run(listAssets(context, options)));
  command
    .command('show <hash>')
    .description('one picture: its link, size and generation; the first characters of its hash are enough')
    .option('--json', "print the gateway's JSON")
    .action((hash: string, options: AssetOptions) => run(showAsset(context, hash, options)));
}

export async function listAssets(context: CliContext, { limit, json }: AssetListOptions): Promise<number> {
  const body = await withGateway(context, (ask) => ask('GET', `/v1/assets?limit=${limit}`));
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${table(rowsOf(body))}\n`);
  return EXIT.ok;
}

export async function showAsset(context: CliContext, hash: string, { json }: AssetOptions): Promise<number> {
  const body = await withGateway(context, (ask) => ask('GET', `/v1/assets?hash=${encodeURIComponent(hash)}`));
  const rows = rowsOf(body);
  context.stdout.write(
    json ? `${JSON.stringify(body)}\n` : `${rows.length === 0 ? 'no such picture' : rows.map(details).join('\n\n')}\n`,
  );
  return rows.length === 0 ? EXIT.failed : EXIT.ok;
}

function table(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no pictures are stored';
  const bytes = rows.reduce((sum, row) => sum + (typeof row.bytes === 'number' ? row.bytes : 0), 0);
  const listed = columns([
    ['picture', 'type', 'size', 'stored', 'generation'],
    ...rows.map((row) => [
      textCell(row.hash).slice(0, 16),
      textCell(row.type),
      sizeOf(row),
      timeCell(row.created_at),
      textCell(row.generation),
    ]),
  ]);
  return `${listed}\n${count(rows.length, 'picture')}, ${bytesText(bytes)}`;
}

function details(row: JsonObject): string {
  return columns([
    ['picture', textCell(row.hash, 300)],
    ['link', textCell(row.url, 300)],
    ['type', textCell(row.type)],
    ['size', sizeOf(row)],
    ['stored', timeCell(row.created_at)],
    ['generation', textCell(row.generation)],
  ]);
}

function sizeOf({ bytes }: JsonObject): string {
  return typeof bytes === 'number' ? bytesText(bytes) : '-';
}
