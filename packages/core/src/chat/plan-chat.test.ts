import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Connection } from '../environment.ts';
import type { Catalogue, PolicySettings } from '../model-names.ts';
import { bfl } from '../providers/bfl.ts';
import { google } from '../providers/google.ts';
import { ollama } from '../providers/ollama.ts';
import { openai, openaiCompatible } from '../providers/openai.ts';
import type { ChatModel, Provider } from '../providers/provider.ts';
import { sandboxProvider } from '../providers/sandbox.ts';
import { together } from '../providers/together.ts';
import { xai } from '../providers/xai.ts';
import { limitsOf, planImage } from '../route.ts';
import { sampleRequest } from '../testing/samples.ts';
import type { ChatRequest } from './chat.ts';
import { planChat } from './plan-chat.ts';

const connection = (id: string, provider: Provider, changes: Partial<Connection> = {}): Connection => ({
  ...{ id, provider, baseUrl: 'http://x/v1', secret: '' },
  ...changes,
});
const sandbox = connection(
  'sandbox',
  sandboxProvider(() => ({ url: 'http://s', refusePort: 1, resetPort: 2 })),
);
const PRICE = { perMillionTokensUsd: { textInput: 1, cachedInput: 0.1, imageInput: 1, output: 4 } };
const OWN: ChatModel = {
  id: 'house',
  endpoints: ['chat/completions'],
  reasoning: true,
  price: PRICE,
  limits: { tokens: [{ count: 1_000, windowMs: 60_000 }] },
};

const CATALOGUE: Catalogue = {
  connections: [
    connection('openai', openai),
    connection('google', google),
    connection('xai', xai),
    connection('bfl', bfl),
    connection('together', together),
    connection('lab', { ...openaiCompatible, chat: { url: () => 'http://x', models: [OWN], takesAny: true } }),
    connection('ollama', ollama),
    sandbox,
  ],
  routes: {
    fast: {
      targets: ['bfl/flux-2-pro', 'openai/gpt-image-2', 'gone/x', 'lab/house', 'ollama/qwen3:8b'],
      policy: { payment: 'standard', idleTimeoutMs: 7 },
    },
    pictures: { targets: ['bfl/flux-2-pro'] },
    lost: { targets: ['gone/x'] },
  },
  defaultModel: undefined,
};

const REQUEST: ChatRequest = { endpoint: 'chat/completions', stream: true, excerpt: 'hello', inputTokens: 5 };

interface Asked {
  readonly catalogue?: Partial<Catalogue>;
  readonly settings?: PolicySettings;
  readonly request?: Partial<ChatRequest>;
}

function planned(name: string | undefined, { catalogue, settings = {}, request }: Asked = {}) {
  return planChat({ ...REQUEST, ...request }, name, { ...CATALOGUE, ...catalogue }, settings, 1_000);
}

function plan(name: string | undefined, asked: Asked = {}) {
  const found = planned(name, asked);
  assert.ok(found.ok, found.ok ? '' : found.failure.message);
  return found.plan;
}

function refusal(name: string | undefined, asked: Asked = {}) {
  const found = planned(name, asked);
  assert.ok(!found.ok);
  assert.equal(found.failure.certainty, 'not_sent');
  return found.failure;
}

const targetOf = (name: string, asked: Asked = {}) => plan(name, asked).targets.map(({ id }) => id);

suite('what a name of chat means', () => {
  test('provider/model goes there, whatever the model; what follows the first slash is the model', () => {
    assert.deepEqual(targetOf('together/meta-llama/Llama-4'), ['together/meta-llama/Llama-4']);
    assert.deepEqual(targetOf('openai/gpt-of-next-year'), ['openai/gpt-of-next-year']);
  });

  test('a bare name goes to who lists it, who owns such names, or whose own list has it today', () => {
    assert.deepEqual(targetOf('gpt-5.6-luna'), ['openai/gpt-5.6-luna']);
    assert.deepEqual(targetOf('house'), ['lab/house']);
    for (const name of ['gpt-4.1', 'o4-mini', 'chatgpt-4o-latest', 'ft:gpt-4.1:me::id'])
      assert.deepEqual(targetOf(name), [`openai/${name}`]);
    assert.deepEqual(targetOf('grok-4-fast'), ['xai/grok-4-fast']);
    assert.deepEqual(targetOf('gemini-3-pro'), ['google/gemini-3-pro']);
    const embeddings: Asked = { request: { endpoint: 'embeddings', stream: false } };
    assert.deepEqual(targetOf('text-embedding-004', embeddings), ['google/text-embedding-004']);
    assert.deepEqual(targetOf('text-embedding-3-small', embeddings), ['openai/text-embedding-3-small']);
    const lists = (provider: string, model: string) => provider === 'ollama' && model === 'qwen3:8b';
    assert.deepEqual(targetOf('qwen3:8b', { catalogue: { lists } }), ['ollama/qwen3:8b']);
  });

  test('a name that nobody knows goes to the one provider that may have any model; between two nobody guesses', () => {
    assert.equal(refusal('qwen3:8b').kind, 'not_found');
    const connections = [connection('openai', openai), connection('ollama', ollama), sandbox];
    assert.deepEqual(targetOf('qwen3:8b', { catalogue: { connections } }), ['ollama/qwen3:8b']);
    assert.deepEqual(targetOf('hf.co/some/model', { catalogue: { connections } }), ['ollama/hf.co/some/model']);
  });

  test('the understudy plays every name while nobody else chats, and none beside a provider that does', () => {
    const alone = { connections: [connection('bfl', bfl), sandbox], understudy: 'sandbox' };
    assert.deepEqual(targetOf('gpt-4.1', { catalogue: alone }), ['sandbox/gpt-4.1']);
    assert.deepEqual(targetOf('openai/die-mid-stream', { catalogue: alone }), ['sandbox/die-mid-stream']);
    assert.deepEqual(targetOf('ok', { catalogue: alone }), ['sandbox/ok']);
    assert.equal(refusal('gpt-image-2', { catalogue: alone }).kind, 'capability');
    const beside = { connections: [connection('openai', openai), sandbox], understudy: 'sandbox' };
    assert.equal(refusal('no-such-model', { catalogue: beside }).kind, 'not_found');
  });

  test('no name means the default model of chat; embeddings have none', () => {
    const catalogue = { defaultChatModel: 'house' };
    assert.deepEqual(plan(undefined, { catalogue }).targets[0]?.id, 'lab/house');
    assert.equal(refusal(undefined).code, 'missing_required_parameter');
    assert.match(refusal(undefined, { catalogue, request: { endpoint: 'embeddings' } }).message, /compared/);
  });

  test('an unknown name is a 404 about the model, with near matches; one that every object has too', () => {
    const { kind, param, message } = refusal('gtp-5.6-luna');
    assert.deepEqual([kind, param], ['not_found', 'model']);
    assert.match(message, /did you mean "openai\/gpt-5\.6-luna"/);
    for (const name of ['constructor', '__proto__', 'x'.repeat(100_000)]) {
      const failure = refusal(name);
      assert.equal(failure.kind, 'not_found');
      assert.ok(failure.message.length < 600);
    }
    assert.equal(refusal('lost').kind, 'not_found');
  });

  test('a model of pictures is a 400 that names it', () => {
    for (const name of ['gpt-image-2', 'openai/gpt-image-2', 'gemini-3-pro-image', 'flux-2-pro', 'bfl/flux-2-pro']) {
      const { kind, code, message } = refusal(name);
      assert.deepEqual([kind, code], ['capability', 'capability_missing'], name);
      assert.match(message, /pictures/);
    }
    assert.match(refusal('pictures').message, /bfl makes pictures and has no chat/);
  });

  test('what a model or a provider has no endpoint for is a 400 that says where to go', () => {
    const embeddings = refusal('text-embedding-3-small');
    assert.match(embeddings.message, /not for \/v1\/chat\/completions, but for \/v1\/embeddings/);
    const responses = refusal('together/a/b', { request: { endpoint: 'responses' } });
    assert.match(responses.message, /together has no \/v1\/responses; send it to \/v1\/chat\/completions/);
  });
});

suite('what a plan of chat holds', () => {
  test('a route keeps its order; who cannot serve is passed over with the reason and the place', () => {
    const { targets, passedOver, route } = plan('fast');
    assert.equal(route, 'fast');
    assert.deepEqual(
      targets.map(({ id }) => id),
      ['lab/house', 'ollama/qwen3:8b'],
    );
    assert.deepEqual(
      passedOver?.map(({ target, kind, at }) => [target, kind, at]),
      [
        ['bfl/flux-2-pro', 'capability', 0],
        ['openai/gpt-image-2', 'capability', 0],
        ['gone/x', 'not_found', 0],
      ],
    );
  });

  test('a plan is plain JSON: it survives being stored', () => {
    const made = plan('fast');
    assert.deepEqual(JSON.parse(JSON.stringify(made)), made);
  });

  test('the request’s settings win over the route’s, and those over the defaults of chat', () => {
    const { policy, deadlineAt } = plan('gpt-4.1');
    assert.deepEqual([policy.payment, policy.maxPaidAttempts, policy.fallback], ['available', 5, true]);
    assert.deepEqual([policy.retry.maxFreeAttempts, policy.retry.maxFreeAttemptsBeforeFallback], [5, 2]);
    assert.equal(policy.retry.maxPaidAttemptsBeforeFallback, 1);
    const timeout = { connectMs: 10_000, idleMs: 60_000, totalMs: 86_400_000, harvestMs: 0 };
    assert.deepEqual(policy.timeout, timeout);
    assert.equal(deadlineAt, 1_000 + 86_400_000);
    const routed = plan('fast').policy;
    assert.deepEqual([routed.payment, routed.maxPaidAttempts, routed.timeout.idleMs], ['standard', 2, 7]);
    const told = plan('fast', { settings: { payment: 'strict', totalTimeoutMs: 9, connectTimeoutMs: 3 } });
    assert.deepEqual([told.policy.maxPaidAttempts, told.deadlineAt], [1, 1_009]);
    assert.equal(told.policy.timeout.connectMs, 3);
    assert.equal(plan('gpt-4.1', { settings: { maxPaidAttempts: 3 } }).policy.maxPaidAttempts, 3);
    assert.equal(
      plan('fast', { catalogue: routeOf('lab/house', 'ollama/x'), settings: { fallback: false } }).targets.length,
      1,
    );
  });

  test('the first byte has the time that endpoint, stream and model need', () => {
    const firstByte = (name: string, request: Partial<ChatRequest> = {}, settings: PolicySettings = {}) =>
      plan(name, { request, settings }).targets[0]?.firstByteMs;
    assert.equal(firstByte('gpt-4.1'), 60_000);
    assert.equal(firstByte('gpt-4.1', { reasoning: true }), 300_000);
    assert.equal(firstByte('house'), 300_000);
    assert.equal(firstByte('house', { reasoning: false }), 60_000);
    assert.equal(firstByte('o4-mini', { reasoning: false }), 60_000);
    assert.equal(firstByte('o4-mini'), 300_000);
    assert.equal(firstByte('gpt-4.1', { stream: false }), 600_000);
    assert.equal(firstByte('text-embedding-3-small', { endpoint: 'embeddings', stream: false }), 60_000);
    assert.equal(firstByte('house', {}, { firstByteTimeoutMs: 5 }), 5);
    assert.equal(plan('house').policy.timeout.idleMs, 300_000);
  });
});

suite('what a target of chat holds', () => {
  test('a machine of one’s own has the time to load a model, unless somebody else can be asked', () => {
    const routes = {
      own: { targets: ['ollama/qwen3:8b'] },
      helped: { targets: ['ollama/qwen3:8b', 'openai/gpt-4.1'] },
    };
    const firstByte = (name: string, request: Partial<ChatRequest> = {}, settings: PolicySettings = {}) =>
      plan(name, { request, settings, catalogue: { routes } }).targets[0]?.firstByteMs;
    assert.equal(firstByte('own'), 300_000);
    assert.equal(firstByte('ollama/nomic', { endpoint: 'embeddings', stream: false }), 300_000);
    assert.equal(firstByte('own', { stream: false }), 600_000);
    assert.equal(firstByte('helped'), 60_000);
    assert.equal(firstByte('helped', {}, { fallback: false }), 300_000);
    assert.equal(firstByte('own', {}, { firstByteTimeoutMs: 5 }), 5);
  });

  test('a target has the price and the limits that are known, and what bills nothing is free', () => {
    const [house, local] = plan('fast').targets;
    assert.deepEqual([house?.price, house?.free], [PRICE, undefined]);
    assert.equal(local?.free, true);
    assert.deepEqual(local?.price, { perMillionTokensUsd: { textInput: 0, imageInput: 0, output: 0 } });
    assert.equal(plan('gpt-4.1').targets[0]?.price, undefined);
    const played = { perMillionTokensUsd: { textInput: 1, cachedInput: 0.1, imageInput: 1, output: 4 } };
    assert.deepEqual(plan('sandbox/die-mid-stream').targets[0]?.price, played);
    assert.deepEqual(plan('sandbox/whatever').targets[0]?.price, played);
    assert.deepEqual(limitsOf('lab/house', {}, CATALOGUE), OWN.limits);
    const told = { 'openai/gpt-4.1': { concurrency: 3 } };
    assert.deepEqual(limitsOf('openai/gpt-4.1', told, CATALOGUE), { concurrency: 3 });
  });

  test('a target goes with the keys of its provider, or with one of its own', () => {
    const pool = { 'openai:A': 'a', 'openai:B': 'b' };
    const connections = [connection('openai', openai, { pool }), sandbox];
    assert.deepEqual(plan('gpt-4.1', { catalogue: { connections } }).targets[0]?.credentials, Object.keys(pool));
    assert.equal(plan('sandbox/ok').targets[0]?.credential, 'sandbox/ok');
    assert.equal(plan('gpt-4.1').targets[0]?.credential, 'openai');
  });
});

function routeOf(...targets: readonly string[]): Partial<Catalogue> {
  return { routes: { fast: { targets } } };
}

test('pictures are refused where there is only chat, in words that say so', () => {
  const drawn = (name: string, catalogue: Catalogue = CATALOGUE) => planImage(sampleRequest(), name, catalogue, {}, 0);
  for (const name of ['ollama/llava', 'house', 'lab/house', 'gpt-5.6-luna', 'openai/gpt-4.1']) {
    const found = drawn(name);
    assert.ok(!found.ok);
    assert.deepEqual([found.failure.kind, found.failure.code], ['capability', 'capability_missing'], name);
  }
  const routed = drawn('fast', { ...CATALOGUE, ...routeOf('ollama/llava') });
  assert.match(routed.ok ? '' : routed.failure.message, /ollama makes no pictures/);
});
