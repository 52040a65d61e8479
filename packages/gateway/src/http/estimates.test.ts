import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Catalogue, isObject, type JsonObject, openai, openaiCompatible, sandboxProvider } from '@onetake/core';
import { estimate } from './estimates.ts';
import { FailureProblem, RequestProblem } from './problem.ts';

const connection = (id: string, provider: Catalogue['connections'][number]['provider']) => ({
  ...{ id, provider, baseUrl: 'http://x', secret: '' },
});
const CATALOGUE: Catalogue = {
  connections: [
    connection('openai', openai),
    connection('mylab', openaiCompatible),
    connection(
      'sandbox',
      sandboxProvider(() => ({ url: 'http://x', refusePort: 1, resetPort: 2 })),
    ),
  ],
  routes: { best: { targets: ['openai/gpt-image-2', 'nobody/x', 'sandbox/ok'] } },
  defaultModel: 'sandbox/ok',
};

interface Given {
  readonly headers?: Record<string, string>;
  readonly fromBrowser?: boolean;
  readonly models?: readonly string[];
}

function ask(body: unknown, { headers = {}, fromBrowser = false, models }: Given = {}): JsonObject {
  const webhooks = { allowPrivate: false, callers: {} };
  const handler = estimate({ config: { webhooks }, catalogue: CATALOGUE, io: { now: () => 0 } });
  const key = models && { name: 'k', digest: '', createdAt: 0, models };
  return handler({ body, headers, key, fromBrowser } as Parameters<typeof handler>[0]);
}

function refusal(body: unknown, given?: Given): string {
  try {
    ask(body, given);
  } catch (error) {
    if (error instanceof FailureProblem) return `${error.failure.kind} ${error.failure.param ?? ''}`.trim();
    assert.ok(error instanceof RequestProblem, String(error));
    return `${error.status} ${error.code} ${error.param ?? ''}`.trim();
  }
  return assert.fail(`accepted ${JSON.stringify(body)}`);
}

test('it tells whom a request would ask, in how many calls, for what price, and what becomes of it', () => {
  const { adapted, ...told } = ask({ prompt: 'a red fox', model: 'best', n: 2, size: '1024x1024', quality: 'low' });
  const { usd, passed_over: passed, ...rest } = told;
  assert.deepEqual(rest, {
    ...{ object: 'estimate', route: 'best', target: 'openai/gpt-image-2', fallbacks: ['sandbox/ok'] },
    ...{ images: 2, calls: 2, basis: 'estimated', warnings: [] },
  });
  assert.ok(Number(usd) > 0 && Number(usd) < 0.2, String(usd));
  assert.deepEqual(passed, [{ target: 'nobody/x', reason: 'model: no provider here answers to it' }]);
  assert.ok(Array.isArray(adapted) && adapted.every((one) => isObject(one) && one.field && one.action));
});

test('each call of a model that makes one picture counts, and a price nobody knows is null', () => {
  const split = ask({ prompt: 'p', n: 3 });
  assert.deepEqual([split.target, split.images, split.calls, split.usd], ['sandbox/ok', 3, 3, 0.12]);
  const unknown = ask({ prompt: 'p', model: 'mylab/any' });
  assert.deepEqual([unknown.usd, unknown.basis], [null, 'unknown']);
  const mixed = ask({ prompt: 'p', candidates: [{}, { model: 'mylab/any' }] });
  assert.deepEqual([mixed.usd, mixed.basis, mixed.images, mixed.calls], [null, 'unknown', 2, 2]);
});

test('candidates cost what they cost together', () => {
  const { usd, images, candidates } = ask({ prompt: 'p', candidates: 4 });
  assert.deepEqual([usd, images], [0.16, 4]);
  assert.deepEqual(candidates, new Array(4).fill({ target: 'sandbox/ok', usd: 0.04 }));
});

test('pictures to work from are counted, not sent', () => {
  const cost = (fields: object) => {
    const { usd, basis } = ask({ prompt: 'p', ...fields });
    return [usd, basis];
  };
  assert.deepEqual(cost({ reference_images: 2, mask: true }), [0.04, 'table']);
  assert.deepEqual(cost({ operation: 'generate', reference_images: 0, mask: false }), [0.04, 'table']);
  // What its references weigh in tokens is not known before they are sent.
  const large = { model: 'openai/gpt-image-2', size: '1024x1024' };
  assert.deepEqual(cost({ ...large, operation: 'edit', reference_images: 1 }), [null, 'unknown']);
  assert.equal(cost(large)[1], 'estimated');
});

test('what could not be made is refused as it is there, and what is wrong here by name', () => {
  assert.equal(refusal({ prompt: ' ' }), '400 invalid_value prompt');
  assert.equal(
    refusal({ prompt: 'p', model: 'best', onetake: { paymint: 'strict' } }),
    '400 unknown_parameter onetake.paymint',
  );
  assert.equal(
    refusal({ prompt: 'p' }, { headers: { 'x-onetake-payment': 'all' } }),
    '400 invalid_value x-onetake-payment',
  );
  assert.equal(refusal({ prompt: 'p', model: 'nobody/x' }), 'not_found model');
  assert.equal(refusal({ prompt: 'p', candidates: 1 }), '400 invalid_value candidates');
  assert.equal(refusal({ prompt: 'p', candidates: [{}, { model: 'nobody/x' }] }), 'not_found model');
  assert.equal(refusal({ prompt: 'p', candidates: 2 }, { fromBrowser: true }), '403 forbidden_control');
  assert.equal(refusal({ prompt: 'p', model: 'best' }, { models: ['sandbox/*'] }), '403 model_not_allowed model');
  assert.equal(refusal({ prompt: 'p', operation: 'edit' }), '400 missing_required_parameter image');
  assert.equal(refusal({ prompt: 'p', operation: 'upscale' }), '400 invalid_value operation');
  assert.equal(refusal({ prompt: 'p', operation: 'generate', reference_images: 1 }), '400 invalid_value operation');
  assert.equal(refusal({ prompt: 'p', reference_images: 17 }), '400 invalid_value reference_images');
  assert.equal(refusal({ prompt: 'p', mask: 'x', reference_images: 1 }), '400 invalid_value mask');
  assert.equal(refusal({ prompt: 'p', images: ['data:'] }), '400 invalid_value images');
  assert.equal(refusal([]), '400 invalid_body');
});
