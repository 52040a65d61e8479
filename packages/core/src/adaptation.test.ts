import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capabilities } from './capabilities.ts';
import { isChatModel } from './chat-models.ts';
import type { Connection } from './environment.ts';
import { httpAnswer } from './http-answer.ts';
import { EMPTY_RUN } from './journal.ts';
import { type Catalogue, type PolicySettings, retirementAt } from './model-names.ts';
import { decide } from './policy/decide.ts';
import { openai, openaiCompatible } from './providers/openai.ts';
import type { Model, Provider } from './providers/provider.ts';
import { sandboxProvider } from './providers/sandbox.ts';
import type { ImageRequest } from './request.ts';
import { joinAdaptations, translateRetired } from './retired.ts';
import { planImage, splitPlan } from './route.ts';
import { sampleRequest } from './testing/samples.ts';

const connection = (id: string, provider: Provider, changes: Partial<Connection> = {}): Connection => ({
  ...{ id, provider, baseUrl: 'http://x', secret: '' },
  ...changes,
});
const sandbox = sandboxProvider(() => ({ url: 'http://s', refusePort: 1, resetPort: 2 }));

function drawing(capabilities: Partial<Capabilities>, changes: Partial<Model> = {}): Provider {
  const model: Model = {
    ...{ id: 'm', maxImagesPerCall: 4, operations: ['generate', 'edit'], streams: false },
    capabilities: { size: { kind: 'any' }, ...capabilities },
    ...changes,
  };
  return { ...openaiCompatible, models: [model], model: (id) => (id === 'm' ? model : undefined) };
}

const CATALOGUE: Catalogue = {
  connections: [
    connection('openai', openai),
    connection('work', openai),
    connection('square', drawing({ size: { kind: 'list', sizes: ['1024x1024'] } })),
    connection('seeded', drawing({ maxSeed: 9 })),
    connection('linked', drawing({ references: { max: 1, as: 'link' } }), { fetches: false }),
    connection('mylab', openaiCompatible),
  ],
  routes: {
    best: { targets: ['square/m', 'seeded/m', 'mylab/x'] },
    picky: { targets: ['square/m', 'linked/m'] },
    'gpt-4o': { targets: ['mylab/x'] },
  },
  defaultModel: undefined,
};
const ALONE: Catalogue = {
  ...{ connections: [connection('sandbox', sandbox)], routes: {}, defaultModel: undefined, understudy: 'sandbox' },
};

function planned(name: string, request: Partial<ImageRequest>, settings: PolicySettings = {}, catalogue = CATALOGUE) {
  const done = planImage(sampleRequest(request), name, catalogue, settings, 0);
  assert.ok(done.ok, done.ok ? '' : done.failure.message);
  return done.plan;
}

function refused(name: string, request: Partial<ImageRequest>, settings: PolicySettings = {}, catalogue = CATALOGUE) {
  const done = planImage(sampleRequest(request), name, catalogue, settings, 0);
  assert.ok(!done.ok);
  const { status, code } = httpAnswer(done.failure);
  return { ...done.failure, answer: [status, code] };
}

test('every target is sent the request in its own terms, and the plan keeps the caller’s', () => {
  const { request, targets } = planned('best', { size: '512x512', seed: 12, extra: { steps: 3 } });
  assert.deepEqual([request.size, request.seed], ['512x512', 12]);
  const sent = targets.map((target) => target.request);
  assert.deepEqual(
    sent.map((one) => [one?.size, one?.seed, one?.extra]),
    [
      ['1024x1024', undefined, { steps: 3 }],
      ['512x512', 2, undefined],
      ['512x512', 12, undefined],
    ],
  );
  assert.deepEqual(
    targets[0]?.adapted?.map(({ field, action }) => `${field} ${action}`),
    ['size mapped', 'seed dropped', 'steps kept'],
  );
});

test('a target that is sent the very request stores no second copy of it', () => {
  const [first] = planned('seeded/m', { seed: 3 }).targets;
  assert.deepEqual([first?.request, first?.adapted?.length], [undefined, 1]);
  assert.equal('adapted' in (planned('mylab/x', { seed: 3 }).targets[0] ?? {}), false);
});

test('what is impossible somewhere passes that target over, and the first attempt says so', () => {
  const plan = planned('best', { size: '2048x512' });
  assert.deepEqual(
    plan.targets.map(({ id }) => id),
    ['seeded/m', 'mylab/x'],
  );
  assert.deepEqual(
    plan.passedOver?.map(({ target, kind, at }) => [target, kind, at]),
    [['square/m', 'capability', 0]],
  );
  assert.match(plan.passedOver?.[0]?.reason ?? '', /^size: 2048x512/);
  const decision = decide('run', plan, EMPTY_RUN, {}, { unsentGraceMs: 1 }, 0);
  assert.ok(decision.do === 'start');
  assert.deepEqual(
    decision.skipped.map(({ target, kind }) => [target, kind]),
    [['square/m', 'capability']],
  );
});

test('without fallback the first target serves or nobody does', () => {
  assert.deepEqual(
    planned('best', {}, { fallback: false }).targets.map(({ id }) => id),
    ['square/m'],
  );
  assert.equal(refused('best', { size: '2048x512' }, { fallback: false }).param, 'size');
});

test('fields for the first target stay with it when it is passed over', () => {
  const plan = planned('best', { size: '2048x512', extra: { steps: 3 } });
  assert.deepEqual(
    plan.targets.map(({ request }) => request?.extra),
    [undefined, undefined],
  );
});

test('when nobody is left the failure names every target’s reason; alone, the field', () => {
  const edit = { operation: 'edit', size: '2048x512', images: [] } as const;
  const many = refused('picky', { ...edit, images: [SMALL] });
  assert.deepEqual([many.kind, many.param, ...many.answer], ['capability', 'model', 400, 'capability_missing']);
  assert.match(many.message, /square\/m: size: 2048x512.*; linked\/m: image: 1 picture.*ONETAKE_PUBLIC_URL/);
  const one = refused('square/m', { size: '2048x512' });
  assert.deepEqual([one.param, one.answer], ['size', [400, 'capability_missing']]);
});

const SMALL = { hash: 'a', bytes: 1, type: 'png', width: 1, height: 1, animated: false, alpha: false } as const;

test('strict passes over whoever would be sent something else', () => {
  const ids = (name: string, size: string) => planned(name, { size }, { strict: true }).targets.map(({ id }) => id);
  assert.deepEqual(ids('best', '1024x1024'), ['square/m', 'seeded/m', 'mylab/x']);
  assert.deepEqual(ids('best', '512x512'), ['seeded/m', 'mylab/x']);
  assert.match(refused('square/m', { size: '512x512' }, { strict: true }).message, /strict allows no change/);
});

test('a split request splits what each target is sent, with seeds that it takes', () => {
  const [first, ...others] = splitPlan(planned('seeded/m', { n: 10, seed: 7, quality: 'low' }));
  assert.deepEqual(
    [first?.request.n, first?.targets[0]?.request?.n, first?.targets[0]?.request?.quality],
    [4, 4, undefined],
  );
  const seeds = [first, ...others].map((child) => child?.targets[0]?.request?.seed);
  assert.deepEqual(seeds, [7, 8, 9]);
  const wrapped = splitPlan(planned('seeded/m', { n: 10, seed: 8 })).map((child) => child.targets[0]?.request?.seed);
  assert.deepEqual(wrapped, [undefined, undefined, 0], 'only the child whose seed is beyond is sent another');
});

test('a model’s own first-byte clock wins over the usual ones, and settings over it', () => {
  const slow = { ...CATALOGUE, connections: [connection('slow', drawing({}, { firstByteMs: 7, fast: true }))] };
  assert.equal(planned('slow/m', {}, {}, slow).targets[0]?.firstByteMs, 7);
  assert.equal(planned('slow/m', {}, { firstByteTimeoutMs: 9 }, slow).targets[0]?.firstByteMs, 9);
});

test('a retired name is served by its successor, with DALL·E’s words translated', () => {
  const request = { quality: 'hd', size: '1792x1024', extra: { style: 'vivid', user: 'u' } } as const;
  const { successor, targets, route } = planned('dall-e-3', request);
  assert.deepEqual(successor, { of: 'dall-e-3', target: 'gpt-image-2', retiredOn: '2026-05-12' });
  assert.deepEqual([route, targets.map(({ id }) => id)], ['dall-e-3', ['openai/gpt-image-2']]);
  assert.deepEqual([targets[0]?.request?.quality, targets[0]?.request?.extra], ['high', { user: 'u' }]);
  assert.deepEqual(
    targets[0]?.adapted?.map(({ field, action, from, to }) => [field, action, from, to]),
    [
      ['model', 'mapped', 'dall-e-3', 'gpt-image-2'],
      ['quality', 'mapped', 'hd', 'high'],
      ['style', 'dropped', 'vivid', undefined],
      ['size', 'kept', '1792x1024', undefined],
      ['user', 'kept', undefined, undefined],
    ],
  );
});

test('the successor is found by the spelling of the retired name, and played by the sandbox alone', () => {
  const target = (name: string, catalogue = CATALOGUE) => planned(name, {}, {}, catalogue).targets[0]?.id;
  assert.equal(target('work/dall-e-3'), 'work/gpt-image-2');
  assert.equal(target('openai/gpt-image-1'), 'openai/gpt-image-2');
  assert.equal(target('gpt-image-1-2025-04-23'), 'openai/gpt-image-2');
  for (const name of ['dall-e-2', 'openai/dall-e-2']) assert.equal(target(name, ALONE), 'sandbox/gpt-image-2');
  assert.equal(target('imagen-4.0-generate-001', ALONE), 'sandbox/gemini-3.1-flash-image');
  const routed = { ...CATALOGUE, routes: { 'gpt-image-2': { targets: ['mylab/x'] } } };
  assert.equal(target('dall-e-3', routed), 'mylab/x', 'a route of the successor’s name');
});

test('who has a model of the name, or a route of it, serves it as it is', () => {
  const routes = { 'dall-e-3': { targets: ['mylab/x'] } };
  assert.equal(planned('dall-e-3', {}, {}, { ...CATALOGUE, routes }).successor, undefined);
  assert.equal(planned('mylab/dall-e-3', {}).targets[0]?.id, 'mylab/dall-e-3');
  assert.equal(planned('sandbox/dall-e-3', {}, {}, ALONE).targets[0]?.id, 'sandbox/dall-e-3');
  assert.equal(retirementAt('mylab/dall-e-3', CATALOGUE), undefined);
  assert.equal(retirementAt('dall-e-3', { ...CATALOGUE, routes }), undefined);
});

test('without aliases, or without a successor here, a retired name is a 404 with the advice', () => {
  for (const failure of [
    refused('dall-e-3', {}, { aliases: false }),
    refused('dall-e-3', {}, {}, { ...CATALOGUE, aliases: false }),
    refused('openai/dall-e-3', {}, { aliases: false }, ALONE),
    refused('imagen-4.0-generate-001', {}),
  ]) {
    assert.deepEqual([failure.kind, ...failure.answer, failure.param], ['retired', 404, 'model_retired', 'model']);
    assert.match(failure.message, /was retired on 2026-.*its successor is g/);
  }
  assert.equal(planned('dall-e-3', {}, { aliases: true }, { ...CATALOGUE, aliases: false }).targets.length, 1);
});

test('strict lets no successor serve, and what it cannot do is told with its name', () => {
  assert.match(
    refused('dall-e-3', {}, { strict: true }).message,
    /strict allows no other to serve; ask for gpt-image-2/,
  );
  const wide = refused('dall-e-3', { size: '4000x500' });
  assert.match(wide.message, /^size: 4000x500.*dall-e-3 was retired on 2026-05-12, and gpt-image-2 serves instead/);
});

/** As of a place where everybody's models are: it knows what they take, and cannot know which of them draw. */
const ANY: Catalogue = {
  ...CATALOGUE,
  connections: [connection('any', { ...drawing({}), model: single })],
};

function single(id: string): Model {
  return { id, maxImagesPerCall: 1, operations: ['generate'], streams: false, capabilities: { size: { kind: 'any' } } };
}

test('a chat model is refused before anything is sent, unless a route or a provider says that it draws', () => {
  for (const [name, catalogue] of [
    ['mylab/gpt-5.2', CATALOGUE],
    ['claude-opus-4-6', CATALOGUE],
    ['gpt-4o-mini', ALONE],
    ['openai/o3', ALONE],
    ['any/meta/meta-llama-3-8b', ANY],
  ] as const) {
    const failure = refused(name, {}, {}, catalogue);
    assert.deepEqual([failure.kind, failure.answer], ['capability', [400, 'capability_missing']], name);
    assert.match(failure.message, /is a chat model; it makes no pictures/);
  }
  assert.equal(planned('gpt-4o', {}).targets[0]?.id, 'mylab/x');
  const told = drawing({}, { id: 'gpt-5-turbo' });
  const listing = { ...told, model: (id: string) => told.models.find((model) => model.id === id) };
  const listed = { ...CATALOGUE, connections: [connection('lab', listing)] };
  assert.equal(planned('gpt-5-turbo', {}, {}, listed).targets[0]?.id, 'lab/gpt-5-turbo');
});

test('names of chat models are told from those of models that draw', () => {
  const chat = [
    'gpt-4o',
    'gpt-5',
    'gpt-4.1-mini',
    'o3',
    'o4-mini',
    'claude-sonnet-5',
    'gemini-3-pro',
    'chatgpt-4o-latest',
  ];
  for (const name of [...chat, 'meta/llama-3-70b', 'grok-4', 'deepseek-v3', 'openai/gpt-4o'])
    assert.ok(isChatModel(name), name);
  const draws = [
    'gpt-image-2',
    'gpt-4o-image',
    'chatgpt-image-latest',
    'gemini-3.1-flash-image',
    'gemini-nano-banana-2.1',
  ];
  const others = [
    'qwen-image',
    'grok-2-image',
    'grok-imagine-image',
    'flux-pro',
    'sdxl',
    'dall-e-3',
    'ok',
    'slow:4',
    'o3d',
  ];
  for (const name of [...draws, ...others, 'never-heard-of-it']) assert.ok(!isChatModel(name), name);
});

test('two steps of one way are told as one', () => {
  const { request, adaptations } = translateRetired(sampleRequest({ quality: 'standard' }), {
    ...{ name: 'dall-e-3', provider: 'openai', retiredOn: '2026-05-12', successor: 'x' },
  });
  assert.equal(request.quality, 'medium');
  const joined = joinAdaptations(adaptations, [
    { field: 'quality', action: 'mapped', from: 'medium', to: 'low', reason: 'r' },
    { field: 'size', action: 'kept' },
  ]);
  assert.deepEqual(joined.slice(1), [
    { field: 'quality', action: 'mapped', from: 'standard', to: 'low', reason: 'r' },
    { field: 'size', action: 'kept' },
  ]);
});
