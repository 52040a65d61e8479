import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from './environment.ts';
import type { Catalogue } from './model-names.ts';
import { openaiCompatible, parseImages } from './providers/openai.ts';
import type { ImageCalls, Provider } from './providers/provider.ts';
import type { ImageRequest, PictureSource } from './request.ts';
import { planImage } from './route.ts';
import { sampleRequest } from './testing/samples.ts';
import { failed, ok, post, runScripted } from './testing/scripted-calls.ts';
import { GOOD_BODY } from './testing/simulated-world.ts';

const SOURCE: PictureSource = { target: 'a/model', handle: { job: 'j1' }, index: 3 };

const provider = (operations: readonly ImageRequest['operation'][]): Provider => ({
  ...openaiCompatible,
  model: (id) => ({ id, operations, maxImagesPerCall: 4, streams: false }),
});
const connection = (id: string, made: Provider, pool?: Connection['pool']): Connection => ({
  ...{ id, provider: made, baseUrl: `http://${id}`, secret: '' },
  ...(pool && { pool }),
});

function catalogue(operations: readonly ImageRequest['operation'][], changes: Partial<Catalogue> = {}): Catalogue {
  return {
    connections: [connection('b', provider(operations)), connection('a', provider(operations), { one: 'x', two: 'y' })],
    routes: { 'a/model': { targets: ['b/model', 'a/model'], policy: { payment: 'strict' } } },
    defaultModel: 'b/model',
    ...changes,
  };
}

function plan(source: PictureSource, made: Catalogue, name?: string) {
  return planImage(sampleRequest({ operation: 'variation', source }), name, made, {}, 0);
}

test('a variation is planned for who made the picture alone, whatever is configured beside it', () => {
  for (const name of [undefined, 'b/model', 'a/model']) {
    const planned = plan(SOURCE, catalogue(['generate', 'variation']), name);
    assert.ok(planned.ok);
    assert.deepEqual(
      planned.plan.targets.map(({ id }) => id),
      ['a/model'],
    );
    assert.deepEqual([planned.plan.route, planned.plan.policy.payment], ['a/model', 'strict']);
  }
});

test('it goes with the key the job went with, or where that is gone with any', () => {
  const credentials = (credential: string) => {
    const planned = plan({ ...SOURCE, credential }, catalogue(['variation']));
    assert.ok(planned.ok);
    return planned.plan.targets[0]?.credentials;
  };
  assert.deepEqual(credentials('two'), ['two']);
  assert.deepEqual(credentials('gone'), ['one', 'two']);
});

test('a model that cannot, and a provider that is gone, are refused before anything is sent', () => {
  const cannot = plan(SOURCE, catalogue(['generate', 'edit', 'upscale']));
  assert.ok(!cannot.ok);
  assert.deepEqual([cannot.failure.kind, cannot.failure.certainty], ['capability', 'not_sent']);
  const connections = [connection('b', provider(['variation']))];
  const gone = plan(SOURCE, catalogue(['variation'], { connections, routes: {} }));
  assert.ok(!gone.ok);
  assert.deepEqual([gone.failure.kind, gone.failure.certainty], ['not_found', 'not_sent']);
});

test('the adapter is told of the job and the picture, and never falls back', async () => {
  const seen: (PictureSource | undefined)[] = [];
  const submit: ImageCalls['submit'] = {
    build(input, { baseUrl }) {
      seen.push(input.source);
      return post(baseUrl, 'images', {});
    },
    parse: parseImages,
  };
  const planned = plan(SOURCE, catalogue(['variation']));
  assert.ok(planned.ok);
  const good = await runScripted({ submits: [ok(GOOD_BODY)], calls: { submit }, plan: planned.plan });
  assert.ok(good.outcome.ok);
  assert.deepEqual(seen, [SOURCE]);
  const down = await runScripted({ submits: [{ kind: 'refuse', afterMs: 1 }], calls: { submit }, plan: planned.plan });
  assert.equal(failed(down.outcome).kind, 'network');
  assert.ok(down.requests.every(({ url }) => new URL(url).hostname === 'a'));
});
