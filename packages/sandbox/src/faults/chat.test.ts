import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, lastEntry, openStream, rawAnswer, saidIn, stream } from '../testing/chat.ts';
import { at, imitate, sandboxFor, textAt } from '../testing/sandbox.ts';
import { CHAT_FAULTS } from './chat.ts';

// status, type, code: what each fault with an envelope answers, streamed or not.
const ENVELOPES: Readonly<Record<string, readonly [number, string, string | null]>> = {
  '400': [400, 'invalid_request_error', 'context_length_exceeded'],
  policy: [400, 'invalid_request_error', 'content_policy_violation'],
  '401': [401, 'invalid_request_error', 'invalid_api_key'],
  '402': [402, 'invalid_request_error', 'insufficient_balance'],
  '403': [403, 'invalid_request_error', null],
  '404': [404, 'invalid_request_error', 'model_not_found'],
  retired: [404, 'invalid_request_error', 'model_not_found'],
  '408': [408, 'invalid_request_error', 'request_timeout'],
  '409': [409, 'invalid_request_error', 'conflict'],
  '429:1.5': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  '429-date:2': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  '429-concurrency': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  quota: [429, 'insufficient_quota', 'insufficient_quota'],
  '500': [500, 'server_error', null],
  '500-billed': [500, 'server_error', null],
  '503-overloaded': [503, 'service_unavailable_error', 'server_is_overloaded'],
};
const PAGES: Readonly<Record<string, number>> = { '502-html': 502, '503': 503, '504': 504, html: 200 };
const UNCHARGED = new Set(
  ['400', 'policy', '401', '402', '403', '404', 'retired', '408', '409', '429', '429-date', '429-concurrency'].concat([
    'quota',
    '500',
    '503',
    '503-overloaded',
    'error-in-200',
    'error-first-frame',
    'failed',
  ]),
);
const OPENING = ['response.created', 'response.in_progress'];

test('the charges of every fault of chat are those of the contract', () => {
  for (const fault of CHAT_FAULTS.values()) assert.equal(fault.charges, !UNCHARGED.has(fault.name), fault.name);
});

test('GET /faults lists them, each with a sentence and an example that can be played', async (t) => {
  const sandbox = await sandboxFor(t);
  const { body } = await imitate(sandbox, '/faults');
  const faults = (at(body, 'faults') as readonly Record<string, string>[]).filter(({ api }) => api === 'chat');
  assert.equal(faults.length, CHAT_FAULTS.size);
  for (const { sentence = '', example = '' } of faults) {
    assert.match(sentence, /\.$/u);
    const model = `${sandbox.url}/v1/models/${encodeURIComponent(`sandbox/${example}`)}`;
    assert.equal((await fetch(model)).status, 200, example);
  }
});

test('each refusing fault answers its status, type and code, streamed or not, and the bill knows', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const [fault, expected] of Object.entries(ENVELOPES)) {
    for (const streamed of [false, true]) {
      const { status, body } = await ask(sandbox, fault, { stream: streamed });
      assert.deepEqual([status, at(body, 'error.type'), at(body, 'error.code')], expected, fault);
      const { charged, ended, output_tokens } = await lastEntry(sandbox);
      assert.deepEqual(
        [charged, ended, output_tokens],
        fault === '500-billed' ? [1, 'refused', 40] : [0, 'refused', 0],
      );
    }
  }
  for (const [fault, status] of Object.entries(PAGES)) {
    const answer = await ask(sandbox, fault);
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type'), answer.body],
      [status, 'text/html', undefined],
    );
  }
  assert.equal((await ask(sandbox, '429:1.5')).headers.get('retry-after-ms'), '1500');
});

test('error-first-frame answers 200 and an error before any content, in the words of each API', async (t) => {
  const sandbox = await sandboxFor(t);
  const chat = await stream(sandbox, 'error-first-frame');
  assert.deepEqual([chat.status, chat.events.length], [200, 1]);
  assert.equal(at(chat.events[0], 'error.code'), 'rate_limit_exceeded');
  const response = await stream(sandbox, 'error-first-frame:server_error', {}, 'responses');
  assert.deepEqual(response.types, [...OPENING, 'error']);
  assert.deepEqual(
    [at(response.events.at(-1), 'code'), at(response.events.at(-1), 'sequence_number')],
    ['server_error', 2],
  );
  assert.equal((await ask(sandbox, 'error-first-frame')).status, 429);
  const inside = await stream(sandbox, 'error-in-200');
  assert.deepEqual([inside.status, at(inside.events[0], 'error.type')], [200, 'server_error']);
  const whole = await ask(sandbox, 'error-in-200');
  assert.deepEqual([whole.status, at(whole.body, 'error.type')], [200, 'server_error']);
  assert.equal((await lastEntry(sandbox)).charged, 0);
});

test('error-mid-stream streams half of the tokens, then the error, and nothing after it', async (t) => {
  const sandbox = await sandboxFor(t);
  const chat = await stream(sandbox, 'error-mid-stream');
  assert.deepEqual([chat.events.length, at(chat.events.at(-1), 'error.code')], [1 + 20 + 1, 'server_error']);
  const { ended, output_tokens, charged } = await lastEntry(sandbox);
  assert.deepEqual([ended, output_tokens, charged], ['failed', 20, 1]);
  const response = await stream(sandbox, 'error-mid-stream:slow_down', {}, 'responses');
  assert.equal(at(response.events.at(-1), 'code'), 'slow_down');
  assert.equal((await ask(sandbox, 'error-mid-stream:slow_down')).status, 503);
});

test('failed and failed-mid-stream are ends of the Responses API, and errors elsewhere', async (t) => {
  const sandbox = await sandboxFor(t);
  const first = await stream(sandbox, 'failed', {}, 'responses');
  assert.deepEqual(first.types, [...OPENING, 'response.failed']);
  const failed = at(first.events.at(-1), 'response');
  assert.deepEqual([at(failed, 'status'), at(failed, 'error.code')], ['failed', 'server_error']);
  const middle = await stream(sandbox, 'failed-mid-stream:rate_limit_exceeded', {}, 'responses');
  assert.equal(at(middle.events.at(-1), 'response.error.code'), 'rate_limit_exceeded');
  assert.equal(at(middle.events.at(-1), 'response.usage.output_tokens'), 20);
  const whole = await ask(sandbox, 'failed', {}, 'responses');
  assert.deepEqual([whole.status, at(whole.body, 'status')], [200, 'failed']);
  assert.equal((await ask(sandbox, 'failed')).status, 500);
  assert.equal(at((await stream(sandbox, 'failed')).events[0], 'error.code'), 'server_error');
});

test('connections are reset before the answer, after the prelude, or in the middle', async (t) => {
  const sandbox = await sandboxFor(t);
  await assert.rejects(stream(sandbox, 'reset-after-accept'));
  await assert.rejects(ask(sandbox, 'die-before-first'));
  const before = await stream(sandbox, 'die-before-first');
  assert.deepEqual([before.status, before.events.length, before.text, before.ended], [200, 1, '', 'ECONNRESET']);
  assert.equal((await lastEntry(sandbox)).output_tokens, 0);
  const middle = await stream(sandbox, 'die-mid-stream');
  assert.deepEqual([middle.events.length, middle.ended], [1 + 20, 'ECONNRESET']);
  assert.ok(String(saidIn(await ask(sandbox, 'ok'))).length > middle.text.length);
  const { text, ended } = await rawAnswer(sandbox, 'die-mid-stream');
  assert.match(text, /^HTTP\/1.1 200 .*"chat\.completion"/su);
  assert.equal(ended, 'ECONNRESET');
});

test('what falls silent stays open and says nothing more', async (t) => {
  const sandbox = await sandboxFor(t);
  const leaving = new AbortController();
  const response = await openStream(sandbox, 'stall-mid-stream', {}, 'chat/completions', leaving.signal);
  const reader = response.body?.getReader();
  let text = '';
  while (text.split('\n\n').length < 1 + 20 + 1) text += Buffer.from((await reader?.read())?.value ?? []).toString();
  const more = reader?.read().catch(() => undefined);
  const silence = new Promise((resolve) => setTimeout(resolve, 60, 'silence'));
  assert.equal(await Promise.race([more, silence]), 'silence');
  leaving.abort();
  const hanging = openStream(
    sandbox,
    'hang-after-accept',
    { stream: false },
    'chat/completions',
    AbortSignal.timeout(80),
  );
  await assert.rejects(hanging, { name: 'TimeoutError' });
});

test('streams end without [DONE], without a finish, or in the middle of an event', async (t) => {
  const sandbox = await sandboxFor(t);
  const done = await stream(sandbox, 'no-done');
  assert.deepEqual([at(done.events.at(-1), 'choices.0.finish_reason'), done.ended], ['stop', 'closed']);
  const cut = await stream(sandbox, 'no-done:cut');
  assert.deepEqual([cut.events.length, at(cut.events.at(-1), 'choices.0.finish_reason')], [1 + 20, null]);
  const half = await stream(sandbox, 'half-event');
  assert.deepEqual([half.events.length, half.ended, half.raw.endsWith('\n\n')], [1 + 20, 'closed', false]);
  assert.equal((await lastEntry(sandbox)).ended, 'cut');
  for (const fault of ['no-done:cut', 'half-event', 'garbage-event', 'truncated-json']) {
    assert.equal((await ask(sandbox, fault)).body, undefined, fault);
  }
  assert.equal((await ask(sandbox, 'no-done')).status, 200);
});

test('there is garbage among good events, and there are comments between them', async (t) => {
  const sandbox = await sandboxFor(t);
  const garbage = await stream(sandbox, 'garbage-event');
  assert.equal(garbage.events.filter((event) => typeof event === 'string' && event !== '[DONE]').length, 1);
  assert.equal(garbage.events.at(-1), '[DONE]');
  const comments = await stream(sandbox, 'comments+slow-first:0.6');
  assert.ok(comments.comments >= 40 + 3, `${comments.comments} comments`);
  assert.equal(comments.text, saidIn(await ask(sandbox, 'comments+slow-first:0.6')));
});

test('reasoning is said before the content', async (t) => {
  const sandbox = await sandboxFor(t);
  const { events } = await stream(sandbox, 'reasoning', { stream_options: { include_usage: true } });
  const deltas = events.map((event) => at(event, 'choices.0.delta')).filter((delta) => delta !== undefined);
  const [, first] = deltas;
  const thoughts = deltas.filter((delta) => at(delta, 'reasoning_content') !== undefined).length;
  assert.ok(textAt(first, 'reasoning_content').length > 0);
  assert.equal(at(events.at(-2), 'usage.completion_tokens_details.reasoning_tokens'), thoughts);
  assert.match(textAt((await ask(sandbox, 'reasoning')).body, 'choices.0.message.reasoning_content'), /\.$/u);
});

test('usage comes unasked, odd, not at all, or everywhere', async (t) => {
  const sandbox = await sandboxFor(t);
  const told = async (model: string, fields: object = {}) => {
    const { events } = await stream(sandbox, model, fields);
    return events.flatMap((event) => at(event, 'usage') ?? []);
  };
  const include = { stream_options: { include_usage: true } };
  assert.equal((await told('usage')).length, 1);
  assert.equal((await told('usage:none', include)).length, 0);
  assert.equal((await told('usage:every')).length, 1 + 40 + 1 + 1);
  const [odd] = await told('usage:odd');
  assert.notEqual(at(odd, 'total_tokens'), Number(at(odd, 'prompt_tokens')) + Number(at(odd, 'completion_tokens')));
  assert.equal(at((await ask(sandbox, 'usage:none')).body, 'usage'), undefined);
});

test('moderation stops the text half way, or the model declines', async (t) => {
  const sandbox = await sandboxFor(t);
  const filtered = await ask(sandbox, 'policy-output');
  assert.deepEqual(
    [at(filtered.body, 'choices.0.finish_reason'), at(filtered.body, 'usage.completion_tokens')],
    ['content_filter', 20],
  );
  const response = await stream(sandbox, 'policy-output', {}, 'responses');
  assert.equal(at(response.events.at(-1), 'response.incomplete_details.reason'), 'content_filter');
  const declined = await ask(sandbox, 'refusal');
  assert.equal(at(declined.body, 'choices.0.message.content'), null);
  assert.match(textAt(declined.body, 'choices.0.message.refusal'), /^I'm sorry/u);
  const refused = await stream(sandbox, 'refusal', {}, 'responses');
  assert.ok(refused.types.includes('response.refusal.delta') && refused.types.includes('response.refusal.done'));
  for (const [fault, choices] of [
    ['empty', []],
    ['no-data', undefined],
  ] as const) {
    assert.deepEqual(at((await ask(sandbox, fault)).body, 'choices'), choices);
  }
});

test('pace and length are as said, of a stream and of a whole answer', async (t) => {
  const sandbox = await sandboxFor(t);
  const model = 'pace:50+tokens:20';
  for (const answer of [() => stream(sandbox, model), () => ask(sandbox, model)]) {
    const startedAt = performance.now();
    await answer();
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= 395 && tookMs < 2000, `it took ${tookMs} ms`);
    assert.equal((await lastEntry(sandbox)).output_tokens, 20);
  }
  const startedAt = performance.now();
  const response = await openStream(sandbox, 'slow-first:0.3');
  assert.ok(performance.now() - startedAt < 250, 'the head comes at once');
  await response.text();
  assert.ok(performance.now() - startedAt >= 295);
  const slowly = performance.now();
  await openStream(sandbox, 'slow:0.2');
  assert.ok(performance.now() - slowly >= 195);
});

test('scripts move on with each request; a plus joins faults; misspelled ones are a 404', async (t) => {
  const sandbox = await sandboxFor(t);
  const statuses: number[] = [];
  for (let count = 0; count < 3; count++)
    statuses.push((await ask(sandbox, 'sandbox/429,503-overloaded,tokens:3')).status);
  assert.deepEqual(statuses, [429, 503, 200]);
  assert.equal((await lastEntry(sandbox)).output_tokens, 3);
  const joined = await stream(sandbox, 'tokens:6+die-mid-stream');
  assert.deepEqual([joined.events.length, joined.ended], [1 + 3, 'ECONNRESET']);
  const field = await ask(sandbox, 'gpt-4o', { fault: 'tokens:2' });
  assert.equal(at(field.body, 'usage.completion_tokens'), 2);
  for (const model of ['sandbox/die-mid-steam', 'tokens:x', 'ok,nothing', 'pace:5+nothing', 'usage:sometimes']) {
    const { status, body } = await ask(sandbox, model);
    assert.deepEqual([status, at(body, 'error.code')], [404, 'model_not_found'], model);
  }
  assert.equal((await ask(sandbox, 'llama+vision')).status, 200);
});
