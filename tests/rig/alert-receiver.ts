import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { generate } from './call.ts';

/** An alert as a channel got it. */
export interface ReceivedAlert {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Takes alerts while the test runs; below `/refuse` it answers 404. */
export async function alertReceiver(t: Pick<TestContext, 'after'>) {
  const received: ReceivedAlert[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    const path = request.url ?? '';
    received.push({ path, headers, body: Buffer.concat(chunks).toString('utf8') });
    response.statusCode = path.startsWith('/refuse') ? 404 : 200;
    response.end('ok');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => new Promise<void>((closed) => server.close(() => closed())));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    /** `alert.fired failure_rate` and so on, of what came to this path. */
    changes: (path: string) =>
      received
        .filter((one) => one.path === path)
        .map(({ body }) => {
          const { type, data } = JSON.parse(body);
          return `${type} ${data.rule ?? data.channel}`;
        }),
  };
}

/** So many requests for one model, so many at once; returns how they were answered. */
export async function manyRequests(url: string, model: string, count: number, atOnce = 16) {
  const statuses = new Map<number, number>();
  let next = 0;
  const one = async () => {
    while (next < count) {
      next += 1;
      const { status } = await generate(url, { model, prompt: `${model} ${next}` });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return statuses;
}

/** Every rule off but those that are named, in the words of `onetake.yaml`. */
export function onlyRules(rules: Readonly<Record<string, string>>): string {
  const names =
    'failure_rate p95_latency breaker_open key_dead budget repeated_failure unknown_outcomes queue_age model_retiring disk webhooks_given_up';
  return names
    .split(' ')
    .map((name) => `    ${name}: ${rules[name] ?? 'off'}`)
    .join('\n');
}
