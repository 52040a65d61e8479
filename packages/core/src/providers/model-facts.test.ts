import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROVIDERS } from './index.ts';
import { readModel } from './model-data.ts';
import { capabilityFacts } from './model-facts.ts';

test('what is told of every model is what was read of it', () => {
  for (const model of PROVIDERS.flatMap((provider) => provider.models)) {
    if (model.capabilities === undefined) continue;
    const blank = { id: model.id, maxImagesPerCall: 1, operations: ['generate'], streams: false } as const;
    const { capabilities } = readModel(model.id, capabilityFacts(model.capabilities), blank, 'models');
    assert.deepEqual(capabilities, model.capabilities);
  }
});
