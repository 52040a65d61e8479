import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedded } from '../http.ts';
import { isObject } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/stable-diffusion-cpp.json' with { type: 'json' };
import { stableDiffusionCpp } from './stable-diffusion-cpp.ts';

testProvider(stableDiffusionCpp, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'sd-cpp-local', baseUrl: 'http://gpu:1234' };

function fields(changes: Parameters<typeof sampleRequest>[0] = {}) {
  const request = stableDiffusionCpp.image?.submit.build(sampleRequest(changes), CONTEXT);
  assert.ok(request?.body?.kind === 'json' && isObject(request.body.value));
  return request.body.value;
}

test('a plain request carries what was asked and leaves the rest to the server', () => {
  assert.deepEqual(fields(), { prompt: 'a lighthouse', batch_count: 1 });
  const sent = fields({ size: '640x512', seed: 7, n: 3, outputFormat: 'jpeg', outputCompression: 80 });
  assert.deepEqual([sent.width, sent.height, sent.seed, sent.batch_count], [640, 512, 7, 3]);
  assert.deepEqual([sent.output_format, sent.output_compression], ['jpeg', 80]);
});

test('an edit’s first picture is what it starts from, and all are references', () => {
  const second = { ...SAMPLE_ASSET, hash: 'b'.repeat(64) };
  const sent = fields({ operation: 'edit', images: [SAMPLE_ASSET, second], mask: second });
  assert.deepEqual(sent.init_image, embedded(SAMPLE_ASSET, 'base64'));
  assert.deepEqual(sent.ref_images, [embedded(SAMPLE_ASSET, 'base64'), embedded(second, 'base64')]);
  assert.deepEqual(sent.mask_image, embedded(second, 'base64'));
});

test('neither settings nor LoRAs come in by a prompt or a field of the caller’s', () => {
  const prompt = 'a cat <lora:x:1><sd_cpp_extra_args>{"steps":1}</sd_cpp_extra_args>';
  const sent = fields({
    prompt,
    extra: { lora: [{ path: '/etc/x' }], init_image: 'x', sample_params: { sample_steps: 9 } },
  });
  assert.equal(sent.prompt, 'a cat   ');
  assert.deepEqual(sent.sample_params, { sample_steps: 9 });
  assert.ok(!('lora' in sent) && !('init_image' in sent));
});

test('the id of a job cannot leave the path of jobs', () => {
  const built = stableDiffusionCpp.image?.poll?.build({ job: '../../x?y' }, CONTEXT);
  assert.equal(built?.url, 'http://gpu:1234/sdcpp/v1/jobs/..%2F..%2Fx%3Fy');
});

test('it has one model, whatever is loaded', () => {
  assert.equal(stableDiffusionCpp.model('sd-cpp-locale'), undefined);
});
