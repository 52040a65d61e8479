import { isObject, type JsonObject } from '@onetake/core';
import { call } from '../call.ts';
import { CliError } from '../exit.ts';
import type { StockClient, StockResult } from './stock-client.ts';

/** What can happen between a client and a provider, played by the sandbox. */
export interface Story {
  readonly title: string;
  readonly model: string;
  readonly timeoutMs: number;
}

export const STORIES: readonly Story[] = [
  { title: 'The client gives up after 1 s and tries again; the picture takes 3 s', model: 'slow:3', timeoutMs: 1_000 },
  { title: 'The connection dies after the provider accepted', model: 'reset-after-accept', timeoutMs: 20_000 },
];

/** One story as one client lived it, with what the provider's bill says of it. */
export interface Telling {
  /** Image requests that reached the provider. */
  readonly posts: number;
  readonly charged: number;
  readonly result: StockResult;
}

const PROMPT = 'a red fox in the snow';
const LEDGER_TIMEOUT_MS = 5_000;

/** Plays a story at `baseUrl` and reads the sandbox's bill before and after. */
export async function tell(story: Story, client: StockClient, baseUrl: string, sandboxUrl: string): Promise<Telling> {
  const before = await readBill(sandboxUrl);
  const { model, timeoutMs } = story;
  const result = await client.generate({ baseUrl, model: `sandbox/${model}`, prompt: PROMPT, timeoutMs });
  const after = await readBill(sandboxUrl);
  return { posts: after.requests - before.requests, charged: after.charged - before.charged, result };
}

async function readBill(sandboxUrl: string): Promise<{ requests: number; charged: number }> {
  const { body } = await call(`${sandboxUrl}/ledger`, { timeoutMs: LEDGER_TIMEOUT_MS });
  const total: JsonObject = isObject(body?.total) ? body.total : {};
  const { requests, charged } = total;
  if (typeof requests === 'number' && typeof charged === 'number') return { requests, charged };
  throw new CliError(`${sandboxUrl}/ledger does not answer with a bill`);
}
