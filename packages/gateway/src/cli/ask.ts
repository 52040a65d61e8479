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

/**
 * Reaches a gateway, or starts one for as long as it is used. What is for administrators alone is asked again with the
 * admin key, where this machine has it; with `prefersAdmin` that key goes first, unless ONETAKE_API_KEY names another.
 */
export async function withGateway<Result>(
  context: CliContext,
  use: (ask: Ask, gateway: { readonly url: string; readonly own: boolean }) => Promise<Result>,
  { prefersAdmin = false }: { readonly prefersAdmin?: boolean } = {},
): Promise<Result> {
  const gateway = await reachGateway(context);
  try {
    const { adminHeaders } = gateway;
    const own = prefersAdmin && adminHeaders && !context.env.ONETAKE_API_KEY ? adminHeaders : gateway.headers;
    return await use(async (method, path, body) => {
      const bytes = body && { body: Buffer.from(JSON.stringify(body)) };
      const send = (authorization: Readonly<Record<string, string>>) => {
        const headers = { ...authorization, ...(body && { 'content-type': 'application/json' }) };
        const options = { method, headers, timeoutMs: TIMEOUT_MS, signal: context.signal, ...bytes };
        return call(`${gateway.url}${path}`, options).catch((error: unknown) => {
          throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}`);
        });
      };
      const preferred = await send(own);
      // The key in the data directory may be another gateway's.
      const isStrange = preferred.status === 401 && own !== gateway.headers;
      const first = isStrange ? await send(gateway.headers) : preferred;
      const isForAdmins = first.status === 403 && readRefused(first).code === 'admin_only';
      const answer = isForAdmins && adminHeaders && adminHeaders !== own ? await send(adminHeaders) : first;
      if (answer.status < 200 || answer.status > 299 || answer.body === undefined)
        throw new CliError(oneLine(readRefused(answer).message));
      return answer.body;
    }, gateway);
  } finally {
    await gateway.close();
  }
}
