import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { withGateway } from '../ask.ts';
import { rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { columns, priceText } from '../text.ts';

export interface RefusalsOptions {
  readonly limit: number;
  readonly json?: boolean;
}

const MAX_CELL_CHARACTERS = 60;

/** Lists what providers refused, newest first, with what was tried and paid for it. */
export async function refusals(context: CliContext, { limit, json }: RefusalsOptions): Promise<number> {
  const body = await withGateway(context, (ask) => ask('GET', `/v1/refusals?limit=${limit}`));
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${table(rowsOf(body))}\n`);
  return EXIT.ok;
}

function table(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no provider has refused anything';
  return columns([
    ['generation', 'created', 'target', 'stage', 'about', 'tried', 'paid', 'request ids', 'prompt'],
    ...rows.map((row) => {
      const refusal = isObject(row.refusal) ? row.refusal : {};
      return [
        textCell(row.generation, MAX_CELL_CHARACTERS),
        timeCell(row.created_at),
        textCell(row.target, MAX_CELL_CHARACTERS),
        textCell(refusal.stage, MAX_CELL_CHARACTERS),
        textCell(joined(refusal.categories), MAX_CELL_CHARACTERS),
        textCell(joined(row.rungs, 'rung'), MAX_CELL_CHARACTERS),
        row.billed === 'no' && row.price_usd === 0 ? 'none' : priceText(numberOf(row.price_usd)),
        textCell(joined(row.provider_request_ids), MAX_CELL_CHARACTERS),
        textCell(row.prompt, MAX_CELL_CHARACTERS),
      ];
    }),
  ]);
}

function joined(value: JsonValue | undefined, key?: string): string {
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [];
  const texts = items.map((item) => (key !== undefined && isObject(item) ? item[key] : item));
  return texts.filter((text) => typeof text === 'string').join(', ');
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
