import assert from 'node:assert/strict';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TelemetryConfig } from '../config/telemetry.ts';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import { openTelemetry } from './telemetry.ts';

/** Two spans each: as many as fill a batch, which then goes out at once. */
const ENOUGH = 128;

interface Listening extends Server {
  readonly bodies: string[];
  readonly headers: IncomingHttpHeaders[];
}

async function listening(answer: (bodies: string[]) => number | undefined): Promise<Listening> {
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      headers.push(request.headers);
      const status = answer(bodies);
      if (status !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return Object.assign(server, { bodies, headers });
}

async function opened(server: Server | undefined, change: Partial<TelemetryConfig> = {}) {
  const warned: string[] = [];
  const log = { warn: (_fields: object, message: string) => void warned.push(message), error: () => {} };
  const closers: (() => Promise<unknown>)[] = [];
  const { port } = (server?.address() ?? {}) as Partial<AddressInfo>;
  const config: TelemetryConfig = {
    ...{ endpoint: `http://127.0.0.1:${port}`, headers: { 'x-key': 'k' }, serviceName: 'onetake' },
    ...{ traces: true, metrics: true, prompts: false, propagate: true, ...change },
  };
  const signals = createSignals(log);
  const parts = { signals, log: log as never, now: () => 1_000, catalogue: { connections: [] } };
  await openTelemetry(server && config, parts, closers);
  const end = (count: number) => {
    for (let ended = 0; ended < count; ended += 1) {
      const { live, finish } = finishedLive();
      signals.watch(live);
      finish();
    }
  };
  const close = async () => {
    for (const one of closers) await one();
    server?.close();
    server?.closeAllConnections();
  };
  return { warned, end, close, closers };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    assert.ok(tries < 500, 'it did not come to pass within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

suite('telemetry', () => {
  test('without an address there is nothing to close', async () => {
    assert.deepEqual((await opened(undefined)).closers, []);
  });

  test('a collector that refuses is told of once, and once more when it takes again', async () => {
    const server = await listening((bodies) => (bodies.length <= 2 ? 400 : 200));
    const { warned, end, close } = await opened(server);
    for (const batch of [1, 2, 3, 4]) {
      end(ENOUGH);
      await until(() => server.bodies.length === batch);
    }
    await close();
    assert.deepEqual(warned, [
      'the collector does not take traces; what does not fit is dropped',
      'the collector takes traces again',
    ]);
  });

  test('what ended last goes out when the gateway closes', async () => {
    const server = await listening(() => 200);
    const { end, close } = await opened(server);
    end(3);
    await close();
    assert.equal(server.bodies.join('').match(/"spanId"/g)?.length, 6);
  });

  test('an export carries the configured headers, and no key that the environment has for another collector', async (t) => {
    const variables = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'];
    for (const name of variables) process.env[name] = 'x-foreign=geheim';
    t.after(() => {
      for (const name of variables) delete process.env[name];
    });
    const server = await listening(() => 200);
    const { end, close } = await opened(server);
    end(1);
    await close();
    assert.equal(server.headers[0]?.['x-key'], 'k');
    assert.doesNotMatch(JSON.stringify(server.headers), /geheim/);
    assert.equal(process.env.OTEL_EXPORTER_OTLP_HEADERS, 'x-foreign=geheim');
  });

  test('a collector that takes a connection and says nothing keeps nobody', async () => {
    const server = await listening(() => undefined);
    const { end, close } = await opened(server);
    end(1);
    const startedAt = performance.now();
    await close();
    assert.ok(performance.now() - startedAt < 4_500);
  });

  test('its packages are loaded where it is configured, and nowhere else', () => {
    const root = join(import.meta.dirname, '..');
    const files = globSync('**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
    const holding = (pattern: RegExp) => files.filter((file) => pattern.test(readFileSync(join(root, file), 'utf8')));
    assert.deepEqual(holding(/from '@opentelemetry\//), [join('tracing', 'exporting.ts')]);
    assert.deepEqual(holding(/exporting\.ts'/), [join('tracing', 'telemetry.ts')]);
    assert.deepEqual(holding(/from '[^']*exporting\.ts'/), []);
  });
});
