import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answered,
  CHAT_SECRET,
  chatFailed,
  chunkEvent,
  completion,
  DONE_EVENT,
  errorEvent,
  FINISH_EVENT,
  ROLE_EVENT,
  refusedWith,
  runScriptedChat,
  sampleChatPlan,
  streamed,
  wordEvents,
} from '../testing/chat-rig.ts';
import type { Behaviour } from '../testing/scripted-io.ts';

const WORDS = wordEvents('hel', 'lo');
const GOOD = streamed(WORDS);
const RESET: Behaviour = { kind: 'reset', afterMs: 5 };
const HANG: Behaviour = { kind: 'hang' };

test('a stream passes byte for byte, after one journal entry that it began', async () => {
  const { outcome, heads, text, types } = await runScriptedChat({ scripts: { a: [GOOD] } });
  assert.ok(outcome.ok);
  assert.equal(text, WORDS.join(''));
  assert.deepEqual(heads, [{ status: 200, contentType: 'text/event-stream', target: 'a/model' }]);
  assert.deepEqual(types, ['attempt-started', 'answer-begun', 'attempt-ended', 'finished']);
  assert.equal(outcome.usage?.estimated, true);
});

test('the request is the caller’s with the target’s model, and carries the key', async () => {
  const { io } = await runScriptedChat({ scripts: { a: [GOOD] } });
  const [sent] = io.sent;
  assert.equal(sent?.request.url, 'http://a/v1/chat/completions');
  assert.equal(sent?.request.headers.authorization, `Bearer ${CHAT_SECRET}`);
  assert.ok(sent?.request.body?.kind === 'bytes');
  assert.equal(
    Buffer.from(sent.request.body.bytes).toString(),
    '{"model":"model","messages":[{"role":"user","content":"Say hello."}],"stream":true}',
  );
});

test('usage that the stream tells is the usage, the last one of several', async () => {
  const usage = (total: number) => ({ prompt_tokens: 7, completion_tokens: total - 7, total_tokens: total });
  const told = chunkEvent({ content: 'x' }, null, { usage: usage(8) });
  const last = `data: ${JSON.stringify({ choices: [], usage: usage(9) })}\n\n`;
  const { outcome } = await runScriptedChat({ scripts: { a: [streamed([told, FINISH_EVENT, last, DONE_EVENT])] } });
  assert.ok(outcome.ok);
  assert.deepEqual([outcome.usage?.total_tokens, outcome.usage?.output_tokens], [9, 2]);
  assert.equal(outcome.usage?.estimated, undefined);
});

test('a whole answer passes byte for byte', async () => {
  const body = completion('hi', { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 });
  const plan = sampleChatPlan(['a'], { stream: false });
  const { outcome, text, heads } = await runScriptedChat({ plan, scripts: { a: [answered(body)] } });
  assert.ok(outcome.ok);
  assert.equal(text, JSON.stringify(body));
  assert.equal(heads[0]?.contentType, 'application/json');
  assert.equal(outcome.usage?.total_tokens, 4);
});

const FREE_TROUBLE: readonly (readonly [string, Behaviour])[] = [
  ['a 429', refusedWith(429, { message: 'slow', code: 'rate_limit_exceeded' })],
  ['a 503', refusedWith(503, { message: 'busy' }, { 'retry-after': '1' })],
  ['a reset before any answer', RESET],
  ['a refused connection', { kind: 'refuse', afterMs: 1 }],
  ['a stream that ends before it says anything', streamed([ROLE_EVENT])],
  ['a stream that is done before it says anything', streamed([ROLE_EVENT, DONE_EVENT])],
  ['a stream that is reset before it says anything', streamed([ROLE_EVENT], 'reset')],
  ['a 429 inside a 200', streamed([errorEvent({ message: 'slow', code: 'rate_limit_exceeded' })])],
  ['a 500 of a number inside a 200', streamed([errorEvent({ message: 'oh', code: 500 })])],
  ['an empty answer', answered('')],
  ['a page', answered('<html>no</html>', 200, { 'content-type': 'text/html' })],
  ['an answer of another shape', answered({ hello: 1 })],
  ['an error in a whole answer', answered({ error: { message: 'oh', type: 'server_error' } })],
];

for (const [name, trouble] of FREE_TROUBLE) {
  test(`${name} is tried again, and nobody hears of it`, async () => {
    const { outcome, text, starts } = await runScriptedChat({ scripts: { a: [trouble, GOOD] } });
    assert.ok(outcome.ok);
    assert.equal(text, WORDS.join(''));
    assert.equal(starts.length, 2);
  });

  test(`${name} falls back to the next target`, async () => {
    const { outcome, text, heads } = await runScriptedChat({ scripts: { a: [trouble], b: [GOOD] } });
    assert.ok(outcome.ok);
    assert.equal(text, WORDS.join(''));
    assert.equal(heads[0]?.target, 'b/model');
  });
}

test('a 429 inside every 200 is a 429 in the end', async () => {
  const limited = streamed([errorEvent({ message: 'slow down', type: 'tokens', code: 'rate_limit_exceeded' })]);
  const { outcome, heads, starts } = await runScriptedChat({ scripts: { a: [limited] } });
  const failure = chatFailed(outcome);
  assert.deepEqual([failure.kind, failure.certainty, failure.status], ['throttled', 'rejected', 429]);
  assert.equal(heads.length, 0);
  assert.equal(starts.length, 5);
});

test('a stream that dies after the first content is one failure, and nothing is tried after it', async () => {
  for (const by of ['reset', 'end'] as const) {
    const { outcome, text, starts } = await runScriptedChat({
      scripts: { a: [streamed([ROLE_EVENT, chunkEvent({ content: 'hel' }), 'data: {"cho'], by)], b: [GOOD] },
    });
    const failure = chatFailed(outcome);
    assert.deepEqual([failure.kind, failure.certainty], ['network', 'ambiguous']);
    assert.equal(text, ROLE_EVENT + chunkEvent({ content: 'hel' }));
    assert.equal(starts.length, 1);
    assert.ok(!outcome.ok && outcome.usage?.estimated === true && outcome.told === undefined);
  }
});

test('an error in the middle passes as it is and is the last thing that does', async () => {
  const error = errorEvent({ message: 'overloaded', type: 'overloaded_error' });
  const said = chunkEvent({ content: 'hel' });
  const { outcome, text, starts } = await runScriptedChat({
    scripts: { a: [streamed([ROLE_EVENT + said, error + said, DONE_EVENT])], b: [GOOD] },
  });
  const failure = chatFailed(outcome);
  assert.deepEqual([failure.kind, failure.certainty, failure.message], ['overloaded', 'failed', 'overloaded']);
  assert.equal(text, ROLE_EVENT + said + error);
  assert.ok(!outcome.ok && outcome.told);
  assert.equal(starts.length, 1);
});

test('what began ends as it ended, also where nothing is billed and something was before', async () => {
  const plan = sampleChatPlan(['a', 'b']);
  const [first, second] = plan.targets;
  assert.ok(first && second);
  const error = errorEvent({ message: 'it broke', type: 'server_error' });
  const { outcome, text } = await runScriptedChat({
    plan: { ...plan, targets: [first, { ...second, free: true }] },
    scripts: { a: [RESET], b: [streamed([chunkEvent({ content: 'hel' }), error])] },
  });
  assert.deepEqual([chatFailed(outcome).message, chatFailed(outcome).certainty], ['it broke', 'rejected']);
  assert.ok(!outcome.ok && outcome.told && outcome.usage);
  assert.ok(text.endsWith(error));
});

test('a stall before the first content is the clock of the first token, and the next target answers', async () => {
  for (const stall of [HANG, streamed([], 'silence'), streamed([ROLE_EVENT, ': ping\n\n'], 'silence')]) {
    const { outcome, text, durable } = await runScriptedChat({ scripts: { a: [stall], b: [GOOD] } });
    assert.ok(outcome.ok);
    assert.equal(text, WORDS.join(''));
    const [first] = durable.filter((event) => event.type === 'attempt-ended');
    assert.ok(first?.outcome.ok === false);
    const clock = { name: 'first_token', afterMs: 60_000, setting: 'first_byte_timeout_ms' };
    assert.deepEqual([first.outcome.failure.clock, first.at], [clock, 60_001]);
  }
});

test('a stall after it is the idle clock', async () => {
  const { outcome, at } = await runScriptedChat({
    scripts: { a: [streamed(WORDS.slice(0, 2), 'silence')], b: [GOOD] },
  });
  const failure = chatFailed(outcome);
  assert.deepEqual(failure.clock, { name: 'idle', afterMs: 60_000, setting: 'idle_timeout_ms' });
  assert.ok(at >= 60_040 && at < 60_100, String(at));
});

test('a stream that moves is not idle, however long it takes', async () => {
  const said = Array.from({ length: 40 }, () => chunkEvent({ content: 'word ' }));
  const slow = streamed([...said, FINISH_EVENT + DONE_EVENT], 'end', 50_000);
  const { outcome } = await runScriptedChat({ scripts: { a: [slow] } });
  assert.ok(outcome.ok);
});

test('a caller that takes its time holds the flow, and no clock runs for it', async () => {
  const { outcome, text, at } = await runScriptedChat({
    scripts: { a: [GOOD] },
    takesMs: (write) => (write === 1 ? 290_000 : 0),
  });
  assert.ok(outcome.ok);
  assert.equal(text, WORDS.join(''));
  assert.ok(at > 290_000);
});

test('a caller that takes nothing for five minutes ends it', async () => {
  const { outcome, at, types } = await runScriptedChat({
    scripts: { a: [GOOD], b: [GOOD] },
    takesMs: (write) => (write === 0 ? 10_000_000 : 0),
  });
  const failure = chatFailed(outcome);
  assert.deepEqual([failure.kind, failure.clock], ['canceled', undefined]);
  assert.match(failure.message, /took nothing of the answer for 300000 ms/);
  assert.ok(at < 361_000, String(at));
  assert.equal(types.filter((type) => type === 'attempt-started').length, 1);
});

test('a caller that takes nothing of a whole answer ends it too', async () => {
  const { outcome } = await runScriptedChat({ scripts: { a: [answered(completion())] }, takesMs: () => 10_000_000 });
  assert.equal(chatFailed(outcome).kind, 'canceled');
});

test('a cancel ends it where it is, with what was used', async () => {
  const { outcome, at, text } = await runScriptedChat({ scripts: { a: [GOOD] }, cancelMs: 45 });
  const failure = chatFailed(outcome);
  assert.deepEqual([failure.kind, failure.certainty], ['canceled', 'ambiguous']);
  assert.equal(at, 46);
  assert.equal(text, WORDS.slice(0, 2).join(''));
  assert.ok(!outcome.ok && outcome.usage?.estimated === true);
});

test('a refusal and a bad request are the answer, wherever they come', async () => {
  const filtered = { message: 'blocked', code: 'content_filter' };
  for (const refusal of [refusedWith(400, filtered), streamed([errorEvent(filtered)])]) {
    const { outcome, starts } = await runScriptedChat({ scripts: { a: [refusal], b: [GOOD] } });
    assert.equal(chatFailed(outcome).kind, 'policy');
    assert.equal(starts.length, 1);
  }
  const bad = refusedWith(400, { message: 'bad', type: 'invalid_request_error', param: 'messages' });
  const { outcome, starts } = await runScriptedChat({ scripts: { a: [bad], b: [GOOD] } });
  assert.deepEqual([chatFailed(outcome).kind, chatFailed(outcome).param], ['invalid', 'messages']);
  assert.equal(starts.length, 1);
});

test('no [DONE] is missed where a finish_reason came, nor is an end that the peer forgets', async () => {
  const pieces = WORDS.slice(0, -1);
  for (const by of ['end', 'reset', 'silence'] as const) {
    const { outcome, text, at } = await runScriptedChat({ scripts: { a: [streamed(pieces, by)] } });
    assert.ok(outcome.ok, by);
    assert.equal(text, pieces.join(''));
    assert.ok(at < 11_000, String(at));
  }
});

test('of several answers in one every one must be finished', async () => {
  const body = { model: 'route', messages: [{ role: 'user', content: 'hi' }], stream: true, n: 2 };
  const { outcome } = await runScriptedChat({ body, scripts: { a: [streamed(WORDS.slice(0, -1))] } });
  assert.equal(chatFailed(outcome).kind, 'network');
});

test('the last event may come without its blank line', async () => {
  const pieces = [...WORDS.slice(0, -1), 'data: [DONE]'];
  const { outcome, text } = await runScriptedChat({ scripts: { a: [streamed(pieces)] } });
  assert.ok(outcome.ok);
  assert.equal(text, pieces.join(''));
});

test('where the last event of a stream that broke off has no blank line, it gets one before the error is told', async () => {
  const last = chunkEvent({ content: 'lo' }).trimEnd();
  const { outcome, text } = await runScriptedChat({ scripts: { a: [streamed([...WORDS.slice(0, 2), last])] } });
  assert.equal(chatFailed(outcome).kind, 'network');
  assert.equal(text, `${WORDS.slice(0, 2).join('')}${last}\n\n`);
});

test('payment: strict is one attempt that may be billed', async () => {
  const plan = sampleChatPlan(['a', 'b'], {}, { payment: 'strict', maxPaidAttempts: 1 });
  const { outcome, starts } = await runScriptedChat({ plan, scripts: { a: [RESET], b: [GOOD] } });
  assert.equal(chatFailed(outcome).certainty, 'ambiguous');
  assert.equal(starts.length, 1);
});

test('a provider that repeats our key does not carry it into the journal', async () => {
  const { outcome, durable } = await runScriptedChat({
    scripts: { a: [refusedWith(401, { message: `Incorrect API key provided: ${CHAT_SECRET}` })] },
  });
  assert.equal(chatFailed(outcome).kind, 'authentication');
  assert.ok(!JSON.stringify(durable).includes(CHAT_SECRET));
});
