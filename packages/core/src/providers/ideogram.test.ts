import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/ideogram.json' with { type: 'json' };
import { ideogram } from './ideogram.ts';

testProvider(ideogram, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, baseUrl: 'https://provider.example' };

function fieldsOf(model: string, changes: Parameters<typeof sampleRequest>[0]) {
  const built = ideogram.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model });
  const parts = built?.body?.kind === 'multipart' ? built.body.parts : [];
  return { url: built?.url, names: parts.map(({ name }) => name), parts };
}

test('ratios are written with an x, and version 4 calls the prompt its text', () => {
  const v3 = fieldsOf('ideogram-v3', { aspectRatio: '16:9', quality: 'low' });
  assert.equal(v3.url, 'https://provider.example/v1/ideogram-v3/generate');
  assert.deepEqual(
    v3.parts.map((part) => ('value' in part ? [part.name, part.value] : part.name)),
    [
      ['prompt', 'a lighthouse'],
      ['aspect_ratio', '16x9'],
      ['rendering_speed', 'TURBO'],
      ['num_images', '1'],
    ],
  );
  assert.ok(fieldsOf('ideogram-v4', {}).names.includes('text_prompt'));
});

test('a picture with a mask is edited, one without is remixed', () => {
  const images = [SAMPLE_ASSET];
  assert.match(fieldsOf('ideogram-v3', { operation: 'edit', images, mask: SAMPLE_ASSET }).url ?? '', /\/edit$/);
  assert.match(fieldsOf('ideogram-v3', { operation: 'edit', images }).url ?? '', /\/remix$/);
});

test('the key is no bearer', () => {
  const request = { method: 'POST', url: 'https://api.ideogram.ai/', headers: {} } as const;
  assert.deepEqual(ideogram.authorize(request, { id: 'ideogram', secret: 'key' }).headers, { 'api-key': 'key' });
});
