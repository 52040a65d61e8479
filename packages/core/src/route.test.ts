import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from './environment.ts';
import { httpAnswer } from './http-answer.ts';
import { type Catalogue, modelNames, type PolicySettings, splitTarget } from './model-names.ts';
import { nearMatches } from './near-matches.ts';
import { openai, openaiCompatible } from './providers/openai.ts';
import type { Provider } from './providers/provider.ts';
import { sandboxProvider } from './providers/sandbox.ts';
import { planImage, splitPlan } from './route.ts';
import { sampleRequest } from './testing/samples.ts';

const connection = (id: string, provider: Provider): Connection => ({ id, provider, baseUrl: 'http://x', secret: '' });
const sandbox = sandboxProvider(() => ({ url: 'http://s', refusePort: 1, resetPort: 2 }));
const drawOnly: Provider = { ...openaiCompatible, model: (id) => ({ ...single(id), operations: ['generate'] }) };

function single(id: string) {
  return { id, maxImagesPerCall: 1, operations: ['generate', 'edit'] as const, streams: false };
}

const CATALOGUE: Catalogue = {
  connections: [
    connection('openai', openai),
    connection('mirror', openai),
    connection('mylab', openaiCompatible),
    connection('draw', drawOnly),
    connection('sandbox', sandbox),
  ],
  routes: {
    best: {
      targets: ['openai/gpt-image-2', 'mylab/a/b', 'sandbox/ok'],
      policy: { payment: 'strict', idleTimeoutMs: 5 },
    },
    broken: { targets: ['openai/gone', 'mylab/x'] },
    lost: { targets: ['openai/gone'] },
  },
  defaultModel: 'best',
};

function plan(name: string | undefined, settings: PolicySettings = {}, changes: Partial<Catalogue> = {}) {
  const planned = planImage(sampleRequest(), name, { ...CATALOGUE, ...changes }, settings, 1_000);
  assert.ok(planned.ok, planned.ok ? '' : planned.failure.message);
  return planned.plan;
}

function refusal(name: string | undefined, changes: Partial<Catalogue> = {}, request = sampleRequest()) {
  const planned = planImage(request, name, { ...CATALOGUE, ...changes }, {}, 0);
  assert.ok(!planned.ok);
  assert.equal(planned.failure.certainty, 'not_sent');
  return planned.failure;
}

const targetsOf = (name: string | undefined, changes: Partial<Catalogue> = {}) =>
  plan(name, {}, changes).targets.map((target) => target.id);

test('a bare name goes to the first provider that lists it', () => {
  assert.deepEqual(targetsOf('gpt-image-2'), ['openai/gpt-image-2']);
});

test('a target splits at the first slash only', () => {
  assert.deepEqual(targetsOf('mylab/fal-ai/flux/dev'), ['mylab/fal-ai/flux/dev']);
  assert.deepEqual(splitTarget('fal/fal-ai/flux/dev'), { provider: 'fal', model: 'fal-ai/flux/dev' });
  assert.deepEqual(splitTarget('bare'), { provider: '', model: 'bare' });
});

test('a named provider answers only for models it can have', () => {
  assert.deepEqual(targetsOf('mirror/gpt-image-2'), ['mirror/gpt-image-2']);
  assert.equal(refusal('openai/nonsense').kind, 'not_found');
});

test('a route keeps the order of its targets, and leaves out what nobody answers to', () => {
  assert.deepEqual(targetsOf('best'), ['openai/gpt-image-2', 'mylab/a/b', 'sandbox/ok']);
  assert.deepEqual(targetsOf('broken'), ['mylab/x']);
  assert.equal(refusal('lost').kind, 'not_found');
});

test('no name means the default model; without one the request says what is missing', () => {
  assert.equal(plan(undefined).route, 'best');
  assert.equal(plan('').route, 'best');
  const failure = refusal(undefined, { defaultModel: undefined });
  assert.deepEqual([httpAnswer(failure).status, httpAnswer(failure).code], [400, 'missing_required_parameter']);
  assert.equal(failure.param, 'model');
});

test('an unknown name is a 404 about the model, with near matches', () => {
  const failure = refusal('gpt-imgae-2');
  assert.deepEqual(httpAnswer(failure), { status: 404, type: 'not_found_error', code: 'model_not_found' });
  assert.equal(failure.param, 'model');
  assert.match(failure.message, /did you mean "openai\/gpt-image-2"/);
  assert.match(refusal('zzzzzzzzzzzzzzzzzzzzzz').message, /GET \/v1\/models/);
});

test('a name that every object has is unknown like any other', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.equal(refusal(name).kind, 'not_found', name);
  }
});

test('a name of any length is answered at once, with a bounded message', () => {
  assert.ok(refusal('x'.repeat(1_000_000)).message.length < 600);
});

test('the understudy plays every name that nobody else answers to', () => {
  const only: Partial<Catalogue> = { connections: [connection('sandbox', sandbox)], understudy: 'sandbox' };
  assert.deepEqual(targetsOf('gpt-image-2', only), ['sandbox/gpt-image-2']);
  assert.deepEqual(targetsOf('openai/gpt-image-2', only), ['sandbox/gpt-image-2']);
  assert.deepEqual(targetsOf('sandbox/slow:4', only), ['sandbox/slow:4']);
});

test('a credential is the provider’s, or the model’s own where the provider says so', () => {
  assert.deepEqual(
    plan('best').targets.map((target) => target.credential),
    ['openai', 'mylab', 'sandbox/ok'],
  );
});

test('a model that cannot do the operation is left out; alone it is a 400 that names it', () => {
  const edit = sampleRequest({ operation: 'edit' });
  const failure = refusal('draw/x', {}, edit);
  assert.deepEqual([httpAnswer(failure).status, httpAnswer(failure).code], [400, 'capability_missing']);
  const routes = { mixed: { targets: ['draw/x', 'mylab/x'] } };
  const planned = planImage(edit, 'mixed', { ...CATALOGUE, routes }, {}, 0);
  assert.ok(planned.ok && planned.plan.targets.map((one) => one.id).join() === 'mylab/x');
});

test('the request’s settings win over the route’s, and those over the defaults', () => {
  assert.equal(plan('best').policy.payment, 'strict');
  const { policy } = plan('best', { payment: 'available', maxPaidAttempts: 4 });
  assert.deepEqual([policy.payment, policy.maxPaidAttempts, policy.timeout.idleMs], ['available', 4, 5]);
  assert.deepEqual([plan('gpt-image-2').policy.payment, plan('gpt-image-2').policy.maxPaidAttempts], ['standard', 2]);
});

test('the deadline counts from the arrival, and fast models get the shorter first-byte clock', () => {
  assert.equal(plan('best', { totalTimeoutMs: 250 }).deadlineAt, 1_250);
  assert.equal(plan('gpt-image-2').targets[0]?.firstByteMs, 300_000);
  assert.equal(plan('gpt-image-2.5-flare').targets[0]?.firstByteMs, 120_000);
  assert.equal(plan('gpt-image-2', { firstByteTimeoutMs: 9 }).targets[0]?.firstByteMs, 9);
});

test('a plan is plain JSON: it survives being stored', () => {
  const planned = plan('best', { fallback: false });
  assert.deepEqual(JSON.parse(JSON.stringify(planned)), planned);
});

function children(n: number, name: string, seed?: number): readonly (readonly [number, number | undefined])[] {
  const request = sampleRequest({ n, ...(seed !== undefined && { seed }) });
  const planned = planImage(request, name, CATALOGUE, {}, 0);
  assert.ok(planned.ok);
  return splitPlan(planned.plan).map((child) => [child.request.n, child.request.seed]);
}

test('more pictures than the smallest target makes per call become several runs, whose seeds differ', () => {
  assert.deepEqual(children(3, 'mylab/x'), [[3, undefined]]);
  assert.deepEqual(children(3, 'best', 7), [
    [1, 7],
    [1, 8],
    [1, 9],
  ]);
});

test('one picture is one run, the plan itself', () => {
  const one = plan('best');
  assert.equal(splitPlan(one)[0], one);
});

test('every public name is listed, routes first', () => {
  const names = modelNames(CATALOGUE);
  assert.deepEqual(names.slice(0, 3), ['best', 'broken', 'lost']);
  assert.ok(names.includes('sandbox/slow:4'));
});

test('near matches are near, few, nearest first, and found by bare names too', () => {
  const known = ['openai/gpt-image-2', 'openai/gpt-image-1.5', 'openai/gpt-image-1-mini', 'bfl/flux'];
  assert.equal(nearMatches('gpt-image-3', known)[0], 'openai/gpt-image-2');
  assert.equal(nearMatches('FLUX', known)[0], 'bfl/flux');
  assert.ok(nearMatches('gpt-image', known).length <= 3);
  assert.deepEqual(nearMatches('something-else-entirely', known), []);
});
