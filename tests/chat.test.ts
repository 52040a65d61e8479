/** Chat through a gateway and a provider that fails on command: the same bytes as without, or one error that says it all. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Answer, call } from './rig/call.ts';
import { eventsOf, HELLO, openChat, withoutNames } from './rig/chat.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';
import { until } from './rig/poll.ts';

const YAML = `
limits:
  sandbox/limited: {tokens: 60/60s}
routes:
  seamless: {targets: [sandbox/die-before-first, sandbox/ok]}
  refused: {targets: [sandbox/refuse, sandbox/ok]}
  impatient: {targets: [sandbox/stall-mid-stream], idle_timeout_ms: 400}
  hurried: {targets: ["sandbox/slow-first:9"], first_byte_timeout_ms: 300, max_paid_attempts: 1}
`;

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({ yaml: YAML });
});
after(() => gateway?.close());

function ask(model: string, fields: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return call(`${gateway.url}/v1/chat/completions`, { body: { model, messages: HELLO, ...fields }, headers });
}

async function readGeneration(id: unknown): Promise<Record<string, unknown>> {
  return (await call(`${gateway.url}/v1/generations/${id}`)).body;
}

/** The row once it is over; it is written behind the answer. */
function finished(id: unknown): Promise<Record<string, unknown>> {
  return until(`generation ${id} is over`, async () => {
    const row = await readGeneration(id);
    return row.finished_at !== undefined && row;
  });
}

const REQUESTS: readonly (readonly [name: string, path: string, fields: object])[] = [
  ['a stream', '/v1/chat/completions', { messages: HELLO, stream: true, stream_options: { include_usage: true } }],
  ['an answer', '/v1/chat/completions', { messages: HELLO, seed: 7, unknown_field: { kept: [1, 2.5] } }],
  ['a call of a tool', '/v1/chat/completions', { messages: HELLO, stream: true, tools: [toolOf()] }],
  ['a form', '/v1/chat/completions', { messages: HELLO, response_format: { type: 'json_object' } }],
  ['responses', '/v1/responses', { input: 'say hello', instructions: 'briefly' }],
  ['streamed responses', '/v1/responses', { input: 'say hello', stream: true }],
  ['embeddings', '/v1/embeddings', { input: ['one', 'two'], encoding_format: 'base64' }],
];

function toolOf() {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  return { type: 'function', function: { name: 'weather', parameters } };
}

suite('what passes', () => {
  for (const [name, path, fields] of REQUESTS) {
    test(`${name}: the same bytes as from the provider itself`, async () => {
      const ours = await call(`${gateway.url}${path}`, { body: { model: 'sandbox/ok', ...fields } });
      const direct = await call(`${gateway.sandboxUrl}${path}`, { body: { model: 'ok', ...fields } });
      assert.equal(ours.status, 200, ours.text);
      assert.equal(withoutNames(ours.text), withoutNames(direct.text));
      assert.equal(ours.headers['content-type'], direct.headers['content-type']);
      assert.match(String(ours.headers['x-onetake-generation']), /^gen_/);
      assert.equal(ours.headers['x-onetake-provider'], 'sandbox');
      assert.equal(ours.headers['x-onetake-attempts'], '1');
    });
  }

  test('the paths work without their version, too', async () => {
    const { status } = await call(`${gateway.url}/chat/completions`, {
      body: { model: 'sandbox/ok', messages: HELLO },
    });
    assert.equal(status, 200);
  });
});

suite('before the first content', () => {
  test('a throttled request is repeated, and its caller sees only the answer', async () => {
    const answer = await ask('sandbox/429,ok');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-onetake-attempts'], '2');
  });

  for (const stream of [true, false]) {
    test(`a provider that dies is left for the next one${stream ? ', in the middle of its opening' : ''}`, async () => {
      const answer = await ask('seamless', { stream });
      assert.equal(answer.status, 200, answer.text);
      assert.match(String(answer.headers['x-onetake-fallback']), /^1 \((network|server)\)$/);
      assert.equal(answer.headers['x-onetake-model'], 'ok');
      assert.ok(!answer.text.includes('"error"'), answer.text);
      const { text } = await call(`${gateway.sandboxUrl}/v1/chat/completions`, {
        body: { model: 'ok', messages: HELLO, stream },
      });
      assert.equal(withoutNames(answer.text), withoutNames(text));
    });
  }

  test('a provider that refuses connections is left for the next one', async () => {
    const answer = await ask('refused', { stream: true });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['x-onetake-fallback'], '1 (network)');
  });

  test('an error in the first frame of a stream has its true status', async () => {
    const answer = await ask('sandbox/error-first-frame', { stream: true }, { 'x-onetake-timeout-ms': '1500' });
    assert.equal(answer.status, 429, answer.text);
    assert.equal(answer.body.error?.type, 'rate_limit_error');
    assert.equal(answer.body.onetake?.billed, 'no');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
  });

  test('a first token that does not come is told by its clock', async () => {
    const { status, body, text } = await ask('hurried', { stream: true });
    assert.equal(status, 504, text);
    assert.equal(body.error?.code, 'timeout');
    assert.match(body.error?.message ?? '', /first.token.*300 ms.*first_byte_timeout_ms/);
  });
});

suite('after it', () => {
  test('a provider that dies leaves one error event, and nothing is glued on', async () => {
    const { status, text, headers } = await ask('sandbox/die-mid-stream', { stream: true });
    assert.equal(status, 200);
    const events = eventsOf(text);
    assert.ok(events.length > 3);
    assert.equal(events.filter((event) => 'error' in event).length, 1);
    assert.ok(!text.includes('[DONE]'));
    const { error, onetake } = events.at(-1) ?? {};
    assert.equal(error?.code, 'connection_lost');
    assert.equal(onetake?.generation, headers['x-onetake-generation']);
    const row = await finished(onetake?.generation);
    assert.equal(row.status, 'failed');
    assert.equal(row.billed, 'maybe');
    assert.equal((row.usage as { estimated?: boolean }).estimated, true);
    assert.equal(row.attempts, 1);
  });

  test('responses end with an error event of their own, with the number that follows', async () => {
    const body = { model: 'sandbox/die-mid-stream', input: 'say hello', stream: true };
    const { text } = await call(`${gateway.url}/v1/responses`, { body });
    const [before, last] = eventsOf(text).slice(-2);
    assert.equal(last?.type, 'error');
    assert.equal(last?.sequence_number, Number(before?.sequence_number) + 1);
    assert.match(text, /^event: error$/m);
  });

  test('a stream that stands still is ended by its idle clock, which is named', async () => {
    const { text } = await ask('impatient', { stream: true });
    const { error, onetake } = eventsOf(text).at(-1) ?? {};
    assert.equal(error?.code, 'timeout');
    assert.match(error?.message ?? '', /idle.*400 ms.*idle_timeout_ms/);
    assert.equal(onetake?.kind, 'timeout');
  });

  test('an error of the provider passes as it is, once', async () => {
    const { text } = await ask('sandbox/error-mid-stream', { stream: true });
    const { text: direct } = await call(`${gateway.sandboxUrl}/v1/chat/completions`, {
      body: { model: 'error-mid-stream', messages: HELLO, stream: true },
    });
    assert.equal(withoutNames(text).trim(), withoutNames(direct).trim());
    assert.equal(eventsOf(text).filter((event) => 'error' in event).length, 1);
  });

  test('a caller who leaves ends the exchange within a second, and what was used is booked', async () => {
    const chat = await openChat(gateway.url, { model: 'sandbox/pace:20+tokens:2000' });
    await until('content came', async () => eventsOf(chat.text()).length > 2);
    const leftAt = Date.now();
    chat.leave();
    const entry = await until('the provider saw it', async () => {
      const { entries } = await readLedger(gateway.sandboxUrl);
      return entries.find((one) => one.model === 'pace:20+tokens:2000' && 'ended' in one);
    });
    assert.ok(Date.now() - leftAt < 1_000);
    assert.equal((entry as { ended?: string }).ended, 'aborted');
    const row = await finished(chat.headers['x-onetake-generation']);
    assert.equal(row.status, 'canceled');
    const { usage } = row as { usage?: { estimated?: boolean; output_tokens?: number } };
    assert.equal(usage?.estimated, true);
    assert.ok((usage?.output_tokens ?? 0) > 0);
  });

  test('a caller who leaves and asked to keep lets it end', async () => {
    const chat = await openChat(
      gateway.url,
      { model: 'sandbox/pace:40+tokens:40' },
      { 'x-onetake-on-disconnect': 'keep' },
    );
    chat.leave();
    assert.equal((await finished(chat.headers['x-onetake-generation'])).status, 'completed');
  });
});

suite('what is refused before anything is sent', () => {
  const BAD: readonly (readonly [path: string, body: object | string, status: number, param: string | null])[] = [
    ['chat/completions', { messages: [] }, 400, 'messages'],
    [
      'chat/completions',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      400,
      'messages[0].content[0].text',
    ],
    ['chat/completions', '{"messages":', 400, null],
    ['chat/completions', { messages: HELLO, onetake: { degrade: 'on' } }, 400, 'onetake.degrade'],
    ['chat/completions', { messages: HELLO, onetake: { payments: 'strict' } }, 400, 'onetake.payments'],
    ['chat/completions', { messages: HELLO, model: 'openai/gpt-image-2' }, 400, 'model'],
    ['chat/completions', { messages: HELLO, model: 'sandbox/\ud800' }, 400, 'model'],
    ['chat/completions', { messages: HELLO, model: `sandbox/${'m'.repeat(600)}` }, 400, 'model'],
    ['embeddings', { input: [] }, 400, 'input'],
  ];
  for (const [path, body, status, param] of BAD) {
    test(`${path} ${JSON.stringify(body).slice(0, 70)}`, async () => {
      const sent = typeof body === 'string' ? body : { model: 'sandbox/ok', ...body };
      const answer = await call(`${gateway.url}/v1/${path}`, { body: sent });
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body.error?.param, param);
      assert.equal(answer.headers['x-should-retry'], 'false');
    });
  }

  test('a body beyond the limit is told in words of its own, and its sender gets to read them', async () => {
    const content = 'x'.repeat(100 * 1024 * 1024);
    const answer = await ask('sandbox/ok', { messages: [{ role: 'user', content }] });
    assert.equal(answer.status, 413);
    assert.equal(answer.body.error?.code, 'request_too_large');
    assert.match(answer.body.error?.message ?? '', /67108864 bytes.*body_limit_bytes/);
    assert.doesNotMatch(answer.text, /picture/);
  });

  test('a form is no body of chat', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const answer = await call(`${gateway.url}/v1/chat/completions`, { body: '--x--\r\n', headers });
    assert.equal(answer.status, 415);
  });
});

test('an answer of chat is listed, read and looked at as a task like any generation', async () => {
  const { headers } = await ask('sandbox/ok');
  const id = String(headers['x-onetake-generation']);
  const row = await finished(id);
  assert.equal(row.status, 'completed');
  assert.equal(row.endpoint, '/v1/chat/completions');
  assert.equal(row.prompt, 'say hello');
  const { usage } = row as { usage?: { input_tokens?: number; output_tokens?: number; estimated?: boolean } };
  assert.ok(usage?.input_tokens && usage.output_tokens && usage.estimated === undefined);
  const list = await call(`${gateway.url}/v1/generations?limit=100`);
  assert.ok(list.body.data?.some((one) => one.id === id));
  const task = await call(`${gateway.url}/v1/tasks/${id}`);
  assert.deepEqual([task.body.object, task.body.status, task.body.progress], ['chat.task', 'completed', 100]);
  const again = await call(`${gateway.url}/v1/generations/${id}/regenerate`, { method: 'POST' });
  assert.equal(again.status, 400);
});

test('what was refused is listed with what was said, in words for chat', async () => {
  const { status, headers } = await ask('sandbox/policy');
  assert.equal(status, 400);
  const id = headers['x-onetake-generation'];
  const item = await until('it is listed', async () => {
    const { data = [] } = (await call(`${gateway.url}/v1/refusals`)).body;
    return data.find(({ generation }) => generation === id);
  });
  const { stage, provider_text: said, suggestions } = item.refusal as Record<string, unknown>;
  assert.deepEqual([stage, item.prompt], ['input', 'say hello']);
  assert.match(String(said), /safety system/);
  assert.match(JSON.stringify(suggestions), /change the messages/);
  assert.doesNotMatch(JSON.stringify(suggestions), /drawn|prompt|picture/);
});

test('a limit of tokens holds what may come out, and is settled by what did', async () => {
  const headers = { 'x-onetake-timeout-ms': '400' };
  const fields = { max_tokens: 25 };
  assert.equal((await ask('sandbox/limited', fields, headers)).status, 200);
  assert.equal((await ask('sandbox/limited', fields, headers)).status, 200);
  const third = await ask('sandbox/limited', fields, headers);
  assert.equal(third.status, 429, third.text);
  assert.ok(Number(third.headers['retry-after']) > 1);
  assert.equal(third.body.onetake?.billed, 'no');
});

test('DELETE of its task ends an answer with one error event', async () => {
  const chat = await openChat(gateway.url, { model: 'sandbox/pace:20+tokens:3000' });
  const id = String(chat.headers['x-onetake-generation']);
  const { status } = await call(`${gateway.url}/v1/tasks/${id}`, { method: 'DELETE' });
  assert.equal(status, 200);
  assert.equal(await chat.whole, true);
  assert.equal(eventsOf(chat.text()).at(-1)?.error?.code, 'canceled');
});
