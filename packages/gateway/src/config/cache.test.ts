import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWorkflow, type Workflow } from '@onetake/core';
import { readCachedRoutes, targetVersions } from './cache.ts';
import type { ProviderConfig } from './providers.ts';

function provider(changes: Partial<ProviderConfig> = {}): ProviderConfig {
  return { id: 'lab', kind: 'comfyui', baseUrl: 'http://127.0.0.1:8188', secret: '', keySource: undefined, ...changes };
}

function workflow(steps: number): Workflow {
  const read = readWorkflow({ '3': { class_type: 'KSampler', inputs: { text: '{{prompt}}', steps } } });
  return 'workflow' in read ? read.workflow : assert.fail(read.expected);
}

function withWorkflow(steps: number): ProviderConfig {
  return provider({ workflows: { workflows: { portrait: workflow(steps), other: workflow(1) } } });
}

const versionOf = (one: ProviderConfig, model = 'portrait') => targetVersions([one])({ provider: one.id, model });

test('an edited workflow is another version of its model alone', () => {
  const [before, after] = [withWorkflow(20), withWorkflow(30)];
  assert.match(versionOf(before) ?? '', /^[0-9a-f]{64}$/);
  assert.equal(versionOf(before), versionOf(withWorkflow(20)));
  assert.notEqual(versionOf(before), versionOf(after));
  assert.equal(versionOf(before, 'other'), versionOf(after, 'other'));
});

test('so is another address, protocol, checkpoint or script, but not another key', () => {
  const changes: readonly Partial<ProviderConfig>[] = [
    {},
    { baseUrl: 'http://127.0.0.1:8189' },
    { kind: 'automatic1111' },
    { workflows: { workflows: {}, checkpoint: 'xl.safetensors' } },
    { played: {} },
    { played: { script: '500,ok' } },
    { hosts: { 'lab#1': 'http://127.0.0.1:8188', 'lab#2': 'http://127.0.0.1:8190' } },
  ];
  const versions = changes.map((change) => versionOf(provider(change)));
  assert.equal(new Set(versions).size, 6, 'what plays by no script is at its usual address');
  assert.equal(versionOf(provider({ secret: 'another' })), versions[0]);
  const swapped = { 'lab#1': 'http://127.0.0.1:8190', 'lab#2': 'http://127.0.0.1:8188' };
  assert.equal(versionOf(provider({ hosts: swapped })), versions.at(-1));
  assert.equal(targetVersions([])({ provider: 'sandbox', model: 'ok' }), undefined);
});

test('only routes that say something of the cache are told of', () => {
  const targets = ['lab/portrait'];
  const said = readCachedRoutes({
    routes: { a: { targets, cache: true }, b: { targets, cache: false }, c: { targets } },
  });
  assert.deepEqual({ ...said }, { a: 'on', b: 'off' });
  assert.equal(said.constructor, undefined);
});
