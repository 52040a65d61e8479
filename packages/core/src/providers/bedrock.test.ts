import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { bedrock } from './bedrock.ts';
import fixtures from './fixtures/bedrock.json' with { type: 'json' };

testProvider(bedrock, providerFixtures(fixtures));

function bodyOf(model: string, changes: Parameters<typeof sampleRequest>[0]) {
  const context = { runId: 'run', attempt: 1, baseUrl: 'https://bedrock.example', model };
  const built = bedrock.image?.submit.build(sampleRequest(changes), context);
  return { url: built?.url, value: built?.body?.kind === 'json' ? built.body.value : undefined };
}

test('a model of Amazon is told its task, and its id is one part of the path', () => {
  const { url, value } = bodyOf('amazon.nova-canvas-v1:0', { size: '1024x768', n: 2, quality: 'high', seed: 3 });
  assert.equal(url, 'https://bedrock.example/model/amazon.nova-canvas-v1%3A0/invoke');
  assert.deepEqual(value, {
    taskType: 'TEXT_IMAGE',
    textToImageParams: { text: 'a lighthouse' },
    imageGenerationConfig: { numberOfImages: 2, width: 1024, height: 768, seed: 3, quality: 'premium' },
  });
  const edit = { operation: 'edit', images: [SAMPLE_ASSET] } as const;
  assert.partialDeepStrictEqual(bodyOf('amazon.nova-canvas-v1:0', edit).value, { taskType: 'IMAGE_VARIATION' });
  const masked = { ...edit, mask: SAMPLE_ASSET };
  assert.partialDeepStrictEqual(bodyOf('amazon.nova-canvas-v1:0', masked).value, { taskType: 'INPAINTING' });
});

test("a model of Stability's has a flat body", () => {
  const { value } = bodyOf('stability.stable-image-core-v1:1', { aspectRatio: '16:9', negativePrompt: 'fog' });
  assert.deepEqual(value, { prompt: 'a lighthouse', negative_prompt: 'fog', aspect_ratio: '16:9' });
});

test('how far an edit of Stability’s goes is what the caller says, and else a default', () => {
  const edit = { operation: 'edit', images: [SAMPLE_ASSET] } as const;
  const strengthOf = (extra?: { readonly strength: number | null }) =>
    bodyOf('stability.sd3-5-large-v1:0', { ...edit, ...(extra && { extra }) }).value;
  assert.partialDeepStrictEqual(strengthOf({ strength: 0.25 }), { mode: 'image-to-image', strength: 0.25 });
  assert.partialDeepStrictEqual(strengthOf({ strength: 0 }), { strength: 0 });
  for (const extra of [undefined, { strength: null }])
    assert.partialDeepStrictEqual(strengthOf(extra), { strength: 0.6 });
});
