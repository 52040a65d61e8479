import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { call } from '../call.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT, messageOf } from '../exit.ts';
import { readRefused } from '../image-call.ts';
import { reachGateway } from '../reach.ts';
import { columns, oneLine, priceText } from '../text.ts';

export interface RefusalsOptions {
  readonly limit: number;
  readonly json?: boolean;
}

const TIMEOUT_MS = 30_000;
const MAX_CELL_CHARS = 60;

/** Lists what providers refused, newest first, with what was tried and paid for it. */
export async function refusals(context: CliContext, { limit, json }: RefusalsOptions): Promise<number> {
  const gateway = await reachGateway(context);
  try {
    const request = { headers: gateway.headers, timeoutMs: TIMEOUT_MS, signal: context.signal };
    const answer = await call(`${gateway.url}/v1/refusals?limit=${limit}`, request).catch((error: unknown) => {
      throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}`);
    });
    if (answer.status !== 200 || answer.body === undefined) throw new CliError(oneLine(readRefused(answer).message));
    const rows = Array.isArray(answer.body.data) ? answer.body.data.filter(isObject) : [];
    context.stdout.write(json ? `${JSON.stringify(answer.body)}\n` : `${table(rows)}\n`);
    return EXIT.ok;
  } finally {
    await gateway.close();
  }
}

function table(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no provider has refused anything';
  return columns([
    ['generation', 'created', 'target', 'stage', 'about', 'tried', 'paid', 'request ids', 'prompt'],
    ...rows.map((row) => {
      const refusal = isObject(row.refusal) ? row.refusal : {};
      return [
        cell(row.generation),
        timeOf(row.created_at),
        cell(row.target),
        cell(refusal.stage),
        cell(joined(refusal.categories)),
        cell(joined(row.rungs, 'rung')),
        row.billed === 'no' && row.price_usd === 0 ? 'none' : priceText(numberOf(row.price_usd)),
        cell(joined(row.provider_request_ids)),
        cell(row.prompt),
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

function cell(value: JsonValue | undefined): string {
  return typeof value === 'string' && value !== '' ? oneLine(value, MAX_CELL_CHARS) : '-';
}

function timeOf(value: JsonValue | undefined): string {
  return typeof value === 'number' ? new Date(value).toISOString().slice(0, 19).replace('T', ' ') : '-';
}
