import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/luma.json' with { type: 'json' };
import { luma } from './luma.ts';

testProvider(luma, providerFixtures(fixtures));

test('one picture is changed, several are looked at, each by its link', () => {
  const context = { runId: 'run', attempt: 1, baseUrl: 'https://provider.example/v1', model: 'photon-1' };
  const assetsUrl = 'https://pictures.example/v1/assets';
  const fieldsOf = (count: number) => {
    const images = Array.from({ length: count }, () => SAMPLE_ASSET);
    const request = sampleRequest({ operation: 'edit', images, extra: { callback_url: 'https://evil.example' } });
    const body = luma.image?.submit.build(request, { ...context, assetsUrl }).body;
    return body?.kind === 'json' ? body.value : undefined;
  };
  const link = { url: `${assetsUrl}/${SAMPLE_ASSET.hash}.png` };
  const common = { model: 'photon-1', prompt: 'a lighthouse' };
  assert.deepEqual(fieldsOf(1), { ...common, modify_image_ref: link });
  assert.deepEqual(fieldsOf(2), { ...common, image_ref: [link, link] });
});
