import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';

/** A webhook as it came. */
export interface Letter {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An address that takes webhooks, open while the test is; `received` is the first. */
export async function letterBox(t: Pick<TestContext, 'after'>): Promise<{ url: string; received: Promise<Letter> }> {
  const { promise, resolve } = Promise.withResolvers<Letter>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    response.end();
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    resolve({ headers, body: Buffer.concat(chunks).toString('utf8') });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => new Promise<void>((closed) => server.close(() => closed())));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}/news`, received: promise };
}
