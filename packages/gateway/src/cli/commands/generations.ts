import { CHAT_ENDPOINTS, isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { call } from '../call.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT, messageOf } from '../exit.ts';
import { readRefused } from '../image-call.ts';
import { reachGateway } from '../reach.ts';
import { columns, oneLine, priceText } from '../text.ts';

export interface GenerationsOptions {
  /** Only those whose outcome nobody knows. */
  readonly unknown?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

const TIMEOUT_MS = 30_000;

/** Lists what was made, newest first, with what each may have cost. */
export async function generations(context: CliContext, options: GenerationsOptions): Promise<number> {
  const gateway = await reachGateway(context);
  try {
    const query = new URLSearchParams({ limit: String(options.limit), ...(options.unknown && { unknown: '1' }) });
    const request = { headers: gateway.headers, timeoutMs: TIMEOUT_MS, signal: context.signal };
    const answer = await call(`${gateway.url}/v1/generations?${query}`, request).catch((error: unknown) => {
      throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}`);
    });
    if (answer.status !== 200 || answer.body === undefined) throw new CliError(oneLine(readRefused(answer).message));
    const rows = Array.isArray(answer.body.data) ? answer.body.data.filter(isObject) : [];
    context.stdout.write(
      options.json ? `${JSON.stringify(answer.body)}\n` : `${table(rows, options.unknown === true)}\n`,
    );
    return EXIT.ok;
  } finally {
    await gateway.close();
  }
}

function table(rows: readonly JsonObject[], unknown: boolean): string {
  if (rows.length === 0) return unknown ? 'no generation has an unknown outcome' : 'no generations yet';
  return columns([
    ['generation', 'created', 'model', 'what happened', 'charge'],
    ...rows.map((row) => [
      cell(row.id),
      timeOf(row.created_at),
      cell(row.target ?? row.route),
      happened(row),
      charge(row),
    ]),
  ]);
}

function cell(value: JsonValue | undefined): string {
  return typeof value === 'string' && value !== '' ? oneLine(value, 60) : '-';
}

function timeOf(value: JsonValue | undefined): string {
  return typeof value === 'number' ? new Date(value).toISOString().slice(0, 19).replace('T', ' ') : '-';
}

const CHAT_PATHS: readonly string[] = CHAT_ENDPOINTS.map((endpoint) => `/v1/${endpoint}`);

function happened(row: JsonObject): string {
  if (row.status === 'failed') return cell(row.code);
  // An answer of chat that reached its end reached its caller, or it would have been canceled.
  const isChat = CHAT_PATHS.includes(cell(row.endpoint));
  const isLost = row.status === 'completed' && typeof row.delivered_at !== 'number' && !isChat;
  return isLost ? 'completed, not delivered' : cell(row.status);
}

function charge({ billed, price_usd: price, possible_usd: possible, status }: JsonObject): string {
  const known = typeof price === 'number' ? priceText(price) : undefined;
  const perhaps = typeof possible === 'number' ? `possibly ${priceText(possible)}` : 'possible, price unknown';
  if (status === 'processing') return '-';
  if (billed === 'no') return 'none';
  if (billed === 'maybe') return known === undefined ? perhaps : `${known}; ${perhaps} more`;
  return known ?? priceText(undefined);
}
