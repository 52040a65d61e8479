import { isObject, type JsonObject } from '@onetake/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ADMIN } from './admin.ts';
import { RequestProblem } from './problem.ts';

export interface SandboxRouteDeps {
  readonly sandboxUrl: () => string | undefined;
  /** Default 5 s. */
  readonly timeoutMs?: number;
  /** Default 8 MiB: the bill of an evening, line by line. */
  readonly maxBytes?: number;
}

type Ask = (method: 'GET' | 'DELETE', path: string) => Promise<JsonObject>;

/** What the sandbox can do wrong, and the bill it keeps, for administrators: the page asks nobody but its gateway. */
export function addSandboxRoutes(app: FastifyInstance, deps: SandboxRouteDeps): void {
  const ask = asking(deps);
  app.get('/v1/sandbox/faults', ADMIN, () => ask('GET', '/faults'));
  app.get('/v1/sandbox/ledger', ADMIN, ({ query }: FastifyRequest) => {
    const { detail } = query as Readonly<Record<string, unknown>>;
    return ask('GET', detail === '1' ? '/ledger?detail=1' : '/ledger');
  });
  app.delete('/v1/sandbox/ledger', ADMIN, () => ask('DELETE', '/ledger'));
}

function asking({ sandboxUrl, timeoutMs = 5_000, maxBytes = 8 * 1024 * 1024 }: SandboxRouteDeps): Ask {
  return async (method, path) => {
    const url = sandboxUrl();
    if (url === undefined) throw noSandbox();
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body: unknown = JSON.parse(await textOf(answer, maxBytes));
      if (answer.ok && isObject(body)) return body as JsonObject;
      throw new Error(`the sandbox answered ${answer.status}`);
    } catch (error) {
      throw silent(error);
    }
  };
}

async function textOf({ body }: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function noSandbox(): RequestProblem {
  const message = 'sandbox: this gateway runs without one; set "sandbox: true" in onetake.yaml';
  return new RequestProblem(404, 'no_sandbox', message);
}

function silent(cause: unknown): RequestProblem {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `sandbox: it does not answer as it should (${why.slice(0, 200)}); it is started again by itself, so ask again in a moment`;
  return new RequestProblem(503, 'sandbox_silent', message, { cause, headers: { 'retry-after': '2' } });
}
