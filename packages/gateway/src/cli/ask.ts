import type { JsonObject } from '@onetake/core';
import { call } from './call.ts';
import type { CliContext } from './context.ts';
import { CliError, messageOf } from './exit.ts';
import { readRefused } from './image-call.ts';
import { reachGateway } from './reach.ts';
import { oneLine } from './text.ts';

const TIMEOUT_MS = 60_000;

/** Asks the gateway; resolves with the JSON of a 2xx, and throws what it says of any other. */
export type Ask = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: JsonObject) => Promise<JsonObject>;

/** Reaches a gateway, or starts one for as long as it is used. */
export async function withGateway<Result>(
  context: CliContext,
  use: (ask: Ask, gateway: { readonly url: string; readonly own: boolean }) => Promise<Result>,
): Promise<Result> {
  const gateway = await reachGateway(context);
  try {
    return await use(async (method, path, body) => {
      const headers = { ...gateway.headers, ...(body && { 'content-type': 'application/json' }) };
      const options = { method, headers, timeoutMs: TIMEOUT_MS, signal: context.signal };
      const bytes = body && { body: Buffer.from(JSON.stringify(body)) };
      const answer = await call(`${gateway.url}${path}`, { ...options, ...bytes }).catch((error: unknown) => {
        throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}`);
      });
      if (answer.status < 200 || answer.status > 299 || answer.body === undefined)
        throw new CliError(oneLine(readRefused(answer).message));
      return answer.body;
    }, gateway);
  } finally {
    await gateway.close();
  }
}
