import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { TINY_PNG_BASE64 } from '@onetake/core/testing';

/** A request as the fake received it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** `reset` ends the connection instead of answering, `silence` never answers. */
export type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body: object }
  | { readonly bytes: Uint8Array }
  | 'reset'
  | 'silence';

export interface FakeGateway {
  readonly url: string;
  /** All but health checks, in order. */
  readonly received: readonly Received[];
}

/** An HTTP server that is alive and answers everything else as told; it ends with the test. */
export async function fakeGateway(
  t: TestContext,
  reply: (request: Received) => Reply | Promise<Reply>,
): Promise<FakeGateway> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === '/health/live') return response.end('{"status":"live"}');
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: Buffer.concat(chunks).toString('latin1') };
    received.push(one);
    const answer = await reply(one);
    if (answer === 'silence') return;
    if (answer === 'reset') return request.socket.resetAndDestroy();
    if ('bytes' in answer) return response.end(answer.bytes);
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    return response.end(JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** The gateway's answer to a finished generation; `said` is added under `onetake`. */
export function delivered(pictures: readonly string[] = [TINY_PNG_BASE64], said: object = {}): Reply {
  return {
    body: {
      created: 1,
      data: pictures.map((base64) => ({ b64_json: base64, revised_prompt: 'a very red fox' })),
      onetake: {
        generation: 'gen_1',
        provider: 'openai',
        model: 'gpt-image-2',
        attempts: 2,
        paid_attempts: 1,
        price_usd: 0.04,
        price_basis: 'per-image',
        images: pictures.map((_, index) => ({ seed: 7 + index })),
        ...said,
      },
    },
  };
}
