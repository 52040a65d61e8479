import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/xai.json' with { type: 'json' };
import { xai } from './xai.ts';

testProvider(xai, providerFixtures(fixtures));

test('one picture goes as the image of an edit, several as its images', () => {
  const context = { runId: 'run', attempt: 1, baseUrl: 'https://provider.example/v1', model: 'grok-imagine-image' };
  const built = (count: number) => {
    const images = Array.from({ length: count }, () => SAMPLE_ASSET);
    return xai.image?.submit.build(sampleRequest({ operation: 'edit', images }), context);
  };
  assert.match(built(1)?.url ?? '', /\/images\/edits$/);
  assert.partialDeepStrictEqual(built(1)?.body, { value: { image: { type: 'image_url' } } });
  assert.partialDeepStrictEqual(built(2)?.body, { value: { images: [{ type: 'image_url' }, { type: 'image_url' }] } });
});
