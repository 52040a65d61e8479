/** What a collector gets of a request, read as OTLP: the right parents, and no word, byte or key. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { call, generate } from './rig/call.ts';
import { HELLO } from './rig/chat.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { until } from './rig/poll.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER_SPAN = '00f067aa0ba902b7';
const TRACEPARENT = { traceparent: `00-${TRACE}-${CALLER_SPAN}-01`, tracestate: 'congo=t61rcWkgMzE' };
const COLLECTOR_KEY = 'canary-of-the-collector';
const CALLER_KEY = 'canary-of-the-caller';
const PROMPT = 'a heron in a canary-yellow boat';
const AUTHORIZED = { authorization: `Bearer ${CALLER_KEY}` };

/** As OTLP/JSON has it; only what is read. */
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Received {
  readonly path: string;
  readonly text: string;
  readonly authorization: string | undefined;
}

const received: Received[] = [];
let collector: Server;
let gateway: RunningGateway;

function start(home?: string): Promise<RunningGateway> {
  const { port } = collector.address() as AddressInfo;
  return startGateway({
    ...(home !== undefined && { home }),
    yaml: `
routes: {pair: {targets: ["sandbox/500", sandbox/fast]}}
telemetry: {otlp_endpoint: "http://127.0.0.1:${port}", headers_env: COLLECTOR_HEADERS, service_name: pictures}
`,
    env: { COLLECTOR_HEADERS: `authorization=${COLLECTOR_KEY}`, ONETAKE_API_KEYS: `shop:${CALLER_KEY}` },
  });
}

before(async () => {
  collector = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      received.push({ path: request.url ?? '', text, authorization: request.headers.authorization });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  gateway = await start();
});
after(async () => {
  await gateway?.close();
  collector.close();
  collector.closeAllConnections();
});

function spans(): readonly OtlpSpan[] {
  const bodies = received.filter(({ path }) => path === '/v1/traces').map(({ text }) => JSON.parse(text));
  return bodies.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: readonly { spans: readonly OtlpSpan[] }[] }) =>
      scopeSpans.flatMap((scope) => scope.spans),
    ),
  );
}

function spansOf(generation: unknown): readonly OtlpSpan[] {
  return spans().filter((span) => told(span, 'onetake.generation') === generation);
}

function told(span: OtlpSpan | undefined, key: string): unknown {
  const value = span?.attributes.find((one) => one.key === key)?.value ?? {};
  return value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue;
}

/** What the sandbox was sent about this prompt, as headers, in order. */
async function sentFor(prompt: string): Promise<readonly Readonly<Record<string, string>>[]> {
  const { body } = await call(`${gateway.sandboxUrl}/requests`);
  const requests = body.requests as readonly {
    headers: Record<string, string>;
    body: { json?: { prompt?: string } };
  }[];
  return requests.filter((one) => one.body.json?.prompt === prompt).map(({ headers }) => headers);
}

suite('a request that falls back', () => {
  test('is one span in its caller’s trace, with an attempt for each provider that was asked', async () => {
    const headers = { ...TRACEPARENT, ...AUTHORIZED };
    const answer = await generate(gateway.url, { model: 'pair', prompt: PROMPT }, { headers });
    assert.equal(answer.status, 200, answer.text);
    const generation = answer.headers['x-onetake-generation'];
    const [whole, first, second, ...more] = await until('it is exported', async () => {
      const found = spansOf(generation);
      return found.length > 0 && found;
    });
    assert.ok(whole && first && second && more.length === 0);
    assert.deepEqual(
      [whole, first, second].map(({ traceId, traceState }) => [traceId, traceState]),
      [
        [TRACE, TRACEPARENT.tracestate],
        [TRACE, TRACEPARENT.tracestate],
        [TRACE, TRACEPARENT.tracestate],
      ],
    );
    assert.equal(whole.parentSpanId, CALLER_SPAN);
    assert.deepEqual([first.parentSpanId, second.parentSpanId], [whole.spanId, whole.spanId]);
    // 2 is a server's span, 3 a client's; status 2 is an error.
    assert.deepEqual([whole.kind, first.kind, second.kind], [2, 3, 3]);
    assert.deepEqual([whole.status.code ?? 0, first.status.code, second.status.code ?? 0], [0, 2, 0]);
    assert.deepEqual(
      [first, second].map((span) => told(span, 'gen_ai.request.model')),
      ['500', 'fast'],
    );
    assert.deepEqual([told(first, 'error.type'), told(whole, 'onetake.caller')], ['generation_failed', 'shop']);
    assert.ok(BigInt(first.startTimeUnixNano) >= BigInt(whole.startTimeUnixNano));
    assert.ok(BigInt(second.startTimeUnixNano) >= BigInt(first.endTimeUnixNano));
    assert.ok(BigInt(whole.endTimeUnixNano) >= BigInt(second.endTimeUnixNano));
    const sent = await sentFor(PROMPT);
    assert.deepEqual(
      sent.map(({ traceparent, tracestate }) => [traceparent, tracestate]),
      [first, second].map(({ spanId }) => [`00-${TRACE}-${spanId}-01`, TRACEPARENT.tracestate]),
    );
  });

  test('whose caller does not want its trace kept is not exported, and the provider is told so', async () => {
    const prompt = `${PROMPT}, unsampled`;
    const traceparent = TRACEPARENT.traceparent.replace(/01$/, '00');
    const headers = { traceparent, ...AUTHORIZED };
    const answer = await generate(gateway.url, { model: 'sandbox/fast', prompt }, { headers });
    const later = await generate(gateway.url, { model: 'sandbox/fast', prompt: PROMPT }, { headers: AUTHORIZED });
    await until(
      'what came after it is exported',
      async () => spansOf(later.headers['x-onetake-generation']).length > 0,
    );
    assert.deepEqual(spansOf(answer.headers['x-onetake-generation']), []);
    assert.match((await sentFor(prompt))[0]?.traceparent ?? '', new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  });
});

test('a trace moves no key, is told by a task too, and is in no request that is printed', async () => {
  const prompt = `${PROMPT}, as a task`;
  const asked = { model: 'sandbox/fast', prompt };
  const repeated = { ...AUTHORIZED, 'idempotency-key': 'of-the-heron', prefer: 'wait=20' };
  const first = await generate(gateway.url, asked, { headers: { ...TRACEPARENT, ...repeated } });
  const again = await generate(gateway.url, asked, { headers: repeated });
  assert.deepEqual([first.status, again.status], [200, 200], again.text);
  const generation = first.headers['x-onetake-generation'];
  assert.equal(again.headers['x-onetake-generation'], generation);
  const [sent, ...more] = await sentFor(prompt);
  assert.match(sent?.traceparent ?? '', new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  assert.equal(more.length, 0);
  const upstream = await call(`${gateway.url}/v1/generations/${generation}/upstream`, { headers: AUTHORIZED });
  assert.equal(upstream.status, 200, upstream.text);
  assert.doesNotMatch(upstream.text, /trace(?:parent|state)/);
});

test('an answer of chat is a span with its tokens, in a trace of its own where its caller has none', async () => {
  const body = { model: 'sandbox/fast', messages: HELLO, stream: true };
  const headers = { ...AUTHORIZED, traceparent: 'no trace' };
  const { headers: answered } = await call(`${gateway.url}/v1/chat/completions`, { body, headers });
  const [whole, attempt] = await until('it is exported', async () => {
    const found = spansOf(answered['x-onetake-generation']);
    return found.length > 0 && found;
  });
  assert.deepEqual([whole?.name, whole?.parentSpanId], ['chat sandbox/fast', undefined]);
  assert.equal(attempt?.parentSpanId, whole?.spanId);
  assert.ok(Number(told(whole, 'gen_ai.usage.output_tokens')) > 0);
});

test('a generation whose process is killed is one trace all the same, told by the process that ends it', async () => {
  const prompt = `${PROMPT}, killed`;
  const headers = { ...TRACEPARENT, ...AUTHORIZED };
  const lost = generate(gateway.url, { model: 'sandbox/slow:20', prompt }, { headers }).catch(() => undefined);
  const [sent] = await until('the sandbox has it', async () => {
    const found = await sentFor(prompt);
    return found.length > 0 && found;
  });
  await gateway.kill();
  await lost;
  gateway = await start(gateway.home);
  const [attempt] = await until('it is exported', async () => {
    const found = spans().filter((span) => told(span, 'onetake.target') === 'sandbox/slow:20' && span.kind === 3);
    return found.length > 0 && found;
  });
  assert.equal(`00-${TRACE}-${attempt?.spanId}-01`, sent?.traceparent);
  assert.equal(told(attempt, 'error.type'), 'outcome_unknown');
  const whole = spans().find(({ spanId }) => spanId === attempt?.parentSpanId);
  assert.deepEqual([whole?.traceId, whole?.parentSpanId], [TRACE, CALLER_SPAN]);
});

test('numbers go out too, and nothing that goes out holds a word, a byte of a picture or a key', async () => {
  await gateway.end();
  const metrics = received.filter(({ path }) => path === '/v1/metrics').map(({ text }) => text);
  assert.match(metrics.join(''), /"onetake_requests_total"/);
  assert.ok(received.every(({ authorization }) => authorization === COLLECTOR_KEY));
  const all = received.map(({ text }) => text).join('');
  assert.match(all, /"service\.name","value":\{"stringValue":"pictures"\}/);
  for (const forbidden of [/heron/i, /canary/i, /authorization/i, /bearer/i, /iVBORw0KGgo/, /[A-Za-z0-9+/]{120}/])
    assert.doesNotMatch(all, forbidden);
});
