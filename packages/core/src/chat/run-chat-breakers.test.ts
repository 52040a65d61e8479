import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN_LIMITS, type RunEnvironment } from '../environment.ts';
import { createHealthBook } from '../health.ts';
import { createMemoryAssets } from '../images/memory-assets.ts';
import type { Event } from '../journal.ts';
import { PARKED } from '../loop.ts';
import { openaiCompatible } from '../providers/openai.ts';
import { createRepeats } from '../repeats.ts';
import { samplePolicy, sampleTarget } from '../testing/samples.ts';
import { type Behaviour, createScriptedIo } from '../testing/scripted-io.ts';
import { FREE_TURNS } from '../turns.ts';
import type { ChatPlan } from './chat.ts';
import { runChat } from './run-chat.ts';

const VALUE = { model: 'x', stream: true, messages: [{ role: 'user', content: 'hello' }] };
const BODY = { bytes: Buffer.from(JSON.stringify(VALUE)), value: VALUE };
const CHUNK = {
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: null }],
};
const STREAMED: Behaviour = {
  ...{ kind: 'answer', afterMs: 200, status: 200, headers: { 'content-type': 'text/event-stream' } },
  body: `data: ${JSON.stringify(CHUNK)}\n\ndata: [DONE]\n\n`,
};
const REFUSED: Behaviour = {
  ...{ kind: 'answer', afterMs: 20, status: 400 },
  body: JSON.stringify({ error: { message: 'no', type: 'invalid_request_error', code: 'content_policy_violation' } }),
};

/** One provider with two models, one key. */
const TARGETS = ['large', 'small'].map((model) => sampleTarget('lab', { id: `lab/${model}`, model }));

function planFor(models: readonly string[], now: number): ChatPlan {
  const policy = samplePolicy({ payment: 'available', maxPaidAttempts: 5 });
  return {
    route: 'route',
    targets: TARGETS.filter(({ model }) => models.includes(model)),
    policy: { ...policy, timeout: { ...policy.timeout, harvestMs: 0 } },
    chat: { endpoint: 'chat/completions', stream: true, excerpt: 'hello', inputTokens: 3 },
    createdAt: now,
    deadlineAt: now + 86_400_000,
  };
}

/** Runs of chat over a scripted network, with what one gateway shares; `play` sees the model of each request. */
function createLab(play: (model: string, at: number) => Behaviour) {
  const modelOf = (bytes: Uint8Array): string => JSON.parse(Buffer.from(bytes).toString()).model;
  const sent: { readonly model: string; readonly at: number }[] = [];
  const io = createScriptedIo(({ body }) => {
    const model = body?.kind === 'bytes' ? modelOf(body.bytes) : '';
    sent.push({ model, at: io.now() });
    return play(model, io.now());
  });
  const health = createHealthBook();
  const environment: RunEnvironment = {
    ...{ io, health, turns: FREE_TURNS, assets: createMemoryAssets(), limits: RUN_LIMITS, repeats: createRepeats(io) },
    connection: (id) => ({ id, provider: openaiCompatible, baseUrl: `http://${id}`, secret: 'sk-a-test-secret' }),
    presence: () => ({ unsentGraceMs: 0 }),
    onPresence: () => () => {},
    cancel: new AbortController().signal,
    park: new AbortController().signal,
  };
  async function ask(runId: string, models: readonly string[]) {
    const events: Event[] = [];
    const written: string[] = [];
    const sink = { begin: () => {}, write: (bytes: Uint8Array) => void written.push(Buffer.from(bytes).toString()) };
    const journal = { events: [], append: async (added: readonly Event[]) => void events.push(...added) };
    const outcome = await runChat(runId, planFor(models, io.now()), journal, environment, { body: BODY, sink });
    assert.ok(outcome !== PARKED);
    return { outcome, text: written.join('') };
  }
  const askMany = (count: number, models: readonly string[], name = '') =>
    io.drive(Promise.all(Array.from({ length: count }, (_, index) => ask(`${name} ${index}`, models))));
  const gate = (model: string) => health.view(TARGETS, io.now())[`lab/${model}`];
  const pass = (until: number) => io.drive(new Promise<void>((resolve) => io.timer(until, resolve)));
  return { io, sent, askMany, gate, pass };
}

test('a model whose connections die is closed; another of the same provider and key answers all the while', async () => {
  const lab = createLab((model) => (model === 'large' ? { kind: 'reset', afterMs: 50 } : STREAMED));
  await lab.askMany(10, ['large']);
  assert.equal(lab.gate('large')?.by, 'breaker');
  assert.equal(lab.gate('small'), undefined);
  const before = lab.sent.length;
  const ended = await lab.askMany(30, ['small']);
  assert.ok(ended.every(({ outcome, text }) => outcome.ok && text.endsWith('data: [DONE]\n\n')));
  const routed = await lab.askMany(10, ['large', 'small'], 'routed');
  assert.ok(routed.every(({ outcome }) => outcome.ok));
  assert.ok(lab.sent.slice(before).every(({ model }) => model === 'small'));
});

test('refusals of 60 chats at once close nothing, and none is sent elsewhere', async () => {
  const lab = createLab(() => REFUSED);
  const ended = await lab.askMany(60, ['large', 'small']);
  assert.ok(ended.every(({ outcome }) => !outcome.ok && outcome.failure.kind === 'policy'));
  assert.deepEqual([lab.sent.length, lab.gate('large'), lab.gate('small')], [60, undefined, undefined]);
});

test('half open, one of 40 chats is let through, and its stream opens the model for all', async () => {
  let healed = false;
  const lab = createLab((model) => (model === 'large' && !healed ? { kind: 'reset', afterMs: 50 } : STREAMED));
  await lab.askMany(5, ['large']);
  const opensAt = lab.gate('large')?.until ?? 0;
  await lab.pass(opensAt);
  healed = true;
  const ended = await lab.askMany(40, ['large', 'small'], 'half');
  assert.ok(ended.every(({ outcome }) => outcome.ok));
  const after = lab.sent.filter(({ at }) => at >= opensAt);
  assert.deepEqual(
    ['large', 'small'].map((name) => after.filter(({ model }) => model === name).length),
    [1, 39],
  );
  await lab.askMany(20, ['large'], 'open');
  assert.equal(lab.sent.filter(({ at, model }) => at >= opensAt && model === 'large').length, 21);
});
