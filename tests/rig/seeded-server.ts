import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TINY_PNG_BASE64 } from '../../packages/core/src/testing/tiny-png.ts';

/** What one call asked for. */
export type Asked = Readonly<Record<string, unknown>>;

export interface SeededServer {
  readonly url: string;
  /** The bodies it was sent, in order. */
  readonly asked: readonly Asked[];
  /** Answers with this status from now on; 200 makes pictures again. */
  answer(status: number): void;
  close(): void;
}

/** A server with OpenAI's image API that takes seeds and never says which it used. */
export async function startSeededServer(): Promise<SeededServer> {
  const asked: Asked[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    // It is asked for its models at the start, and lists none.
    if (request.method === 'GET') return response.writeHead(404).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const isJson = request.headers['content-type'] === 'application/json';
    asked.push(isJson ? JSON.parse(text) : { form: text });
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': `theirs-${asked.length}` });
    const type = status < 500 ? 'invalid_request_error' : 'server_error';
    const error = { message: 'no luck', type, code: null };
    return response.end(JSON.stringify(status === 200 ? { data: [{ b64_json: TINY_PNG_BASE64 }] } : { error }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    answer: (next) => {
      status = next;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
