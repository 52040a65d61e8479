import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { comfyui, comfyuiProvider } from './comfyui.ts';
import { readWorkflow, TEXT_TO_IMAGE, type Workflow } from './comfyui-workflow.ts';
import fixtures from './fixtures/comfyui.json' with { type: 'json' };
import type { Provider } from './provider.ts';

testProvider(comfyui, providerFixtures(fixtures));

const CONTEXT = { runId: 'run', attempt: 1, model: 'local', baseUrl: 'http://gpu:8188' };

function workflow(inputs: JsonObject, kind = 'Anything'): Workflow {
  const read = readWorkflow({ '1': { class_type: kind, inputs: { text: '{{prompt}}', ...inputs } } });
  assert.ok('workflow' in read, JSON.stringify(read));
  return read.workflow;
}

const EDITING = comfyuiProvider({
  workflows: {
    paint: workflow({ first: '{{image_1}}', second: '{{image_2}}', area: '{{mask}}', own: '{{strength|0.5}}' }),
  },
  checkpoint: 'house.safetensors',
});
const SECOND = { ...SAMPLE_ASSET, hash: 'b'.repeat(64), type: 'jpeg' } as const;
const MASK = { ...SAMPLE_ASSET, hash: 'c'.repeat(64) };
const EDIT = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET, SECOND], mask: MASK });
const PAINT = { ...CONTEXT, model: 'paint' };

function answer(body: JsonValue): HttpResponse {
  return { status: 200, headers: {}, body, text: '' };
}

function graph(request: HttpRequest | undefined): JsonObject {
  assert.ok(request?.body?.kind === 'json' && isObject(request.body.value) && isObject(request.body.value.prompt));
  return request.body.value.prompt;
}

function inputs(request: HttpRequest | undefined, node: string): JsonObject {
  const found = graph(request)[node];
  assert.ok(isObject(found) && isObject(found.inputs));
  return found.inputs;
}

function build(changes: Parameters<typeof sampleRequest>[0] = {}, model = 'local', provider: Provider = comfyui) {
  return provider.image?.submit.build(sampleRequest(changes), { ...CONTEXT, model });
}

test('the built-in workflow says what was asked, and is otherwise what ComfyUI starts with', () => {
  const request = build({ size: '640x512', n: 2, seed: 7, negativePrompt: 'fog', extra: { steps: 4, cfg: 'many' } });
  assert.equal(request?.url, 'http://gpu:8188/prompt');
  assert.deepEqual(inputs(request, '5'), { width: 640, height: 512, batch_size: 2 });
  assert.equal(inputs(request, '6').text, 'a lighthouse');
  assert.equal(inputs(request, '7').text, 'fog');
  const { seed, steps, cfg, model } = inputs(request, '3');
  assert.deepEqual([seed, steps, cfg, model], [7, 4, 7, ['4', 0]], 'a text is no value for a number');
  assert.deepEqual(inputs(build(), '5'), { width: 512, height: 512, batch_size: 1 });
});

test('the checkpoint is the model’s name, the caller’s, the owner’s, or ComfyUI’s first', () => {
  const checkpoint = (request: HttpRequest | undefined) => inputs(request, '4').ckpt_name;
  assert.equal(checkpoint(build({}, 'sdxl.safetensors')), 'sdxl.safetensors');
  assert.equal(checkpoint(build({ extra: { checkpoint: 'mine.ckpt' } })), 'mine.ckpt');
  assert.equal(checkpoint(build({}, 'local', EDITING)), 'house.safetensors');
  assert.equal(checkpoint(build()), 'v1-5-pruned-emaonly-fp16.safetensors');
  assert.equal(comfyui.model('paint'), undefined, 'a typo is no model');
});

test('without a seed every attempt has its own, and says so', () => {
  const seed = (attempt: number) =>
    inputs(comfyui.image?.submit.build(sampleRequest(), { ...CONTEXT, attempt }), '3').seed;
  assert.equal(seed(1), seed(1));
  assert.notEqual(seed(1), seed(2));
  const accepted = comfyui.image?.submit.parse(answer({ prompt_id: 'x' }), sampleRequest(), CONTEXT);
  assert.ok(accepted?.kind === 'waiting');
  assert.equal(accepted.handle.seed, seed(1));
});

test('pictures and mask are uploaded one by one, for free, and the workflow is given their names', () => {
  const submit = EDITING.image?.submit;
  let request = submit?.build(EDIT, PAINT);
  let state: JsonValue | undefined;
  for (const [position, asset] of [SAMPLE_ASSET, SECOND, MASK].entries()) {
    assert.equal(request?.url, 'http://gpu:8188/upload/image');
    assert.equal(request?.free, true);
    assert.ok(request?.body?.kind === 'multipart');
    const file = request.body.parts.find((part) => 'asset' in part);
    assert.equal(file && 'asset' in file && file.asset.hash, asset.hash);
    const progress = submit?.parse(
      answer({ name: `${position}.png`, subfolder: 'onetake', type: 'input' }),
      EDIT,
      PAINT,
      state,
    );
    assert.ok(progress?.kind === 'next');
    ({ request, state } = progress);
  }
  assert.deepEqual(inputs(request, '1'), {
    ...{ text: 'a lighthouse', first: 'onetake/0.png', second: 'onetake/1.png', area: 'onetake/2.png', own: 0.5 },
  });
  const done = submit?.parse(answer({ prompt_id: 'x' }), EDIT, PAINT, state);
  assert.deepEqual(done, { kind: 'waiting', handle: { job: 'x', n: 1 } });
});

test('a place without a picture of its own shows the last one', () => {
  const one = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET], mask: MASK });
  const state = { uploaded: ['a.png'] };
  const progress = EDITING.image?.submit.parse(answer({ name: 'm.png', subfolder: '' }), one, PAINT, state);
  assert.ok(progress?.kind === 'next');
  const { first, second, area } = inputs(progress.request, '1');
  assert.deepEqual([first, second, area], ['a.png', 'a.png', 'm.png']);
});

test('an upload without a name spent nothing', () => {
  const progress = EDITING.image?.submit.parse(answer({}), EDIT, PAINT);
  assert.ok(progress?.kind === 'failed');
  assert.equal(progress.failure.certainty, 'rejected');
});

test('a workflow that needs a mask is not sent without one', () => {
  const { mask: _mask, ...bare } = EDIT;
  assert.throws(() => EDITING.image?.submit.build(bare, PAINT), /paint: its workflow needs \{\{mask\}\}/);
});

test('what is canceled is taken from the queue, or interrupted where it was seen running', () => {
  const cancel = (handle: JsonObject) => comfyui.image?.cancel?.build(handle, CONTEXT);
  assert.equal(cancel({ job: 'x' })?.url, 'http://gpu:8188/queue');
  assert.deepEqual(cancel({ job: 'x' })?.body, { kind: 'json', value: { delete: ['x'] } });
  assert.equal(cancel({ job: 'x', running: true })?.url, 'http://gpu:8188/interrupt');
  assert.deepEqual(cancel({ job: 'x', running: true })?.body, { kind: 'json', value: { prompt_id: 'x' } });
});

test('a model can be told what its workflow has a place for, and no more; one at a time (rule 18)', () => {
  const paint = EDITING.model('paint');
  assert.deepEqual(paint?.operations, ['edit']);
  assert.equal(paint?.maxImagesPerCall, 1);
  assert.deepEqual(paint?.capabilities, {
    size: { kind: 'fixed' },
    references: { max: 2, as: 'inline' },
    mask: 'white',
  });
  const local = comfyui.model('local');
  assert.deepEqual(local?.operations, ['generate']);
  assert.equal(local?.maxImagesPerCall, 4);
  assert.equal(local?.capabilities?.negativePrompt, true);
  assert.equal(local?.capabilities?.maxSeed, Number.MAX_SAFE_INTEGER);
  assert.deepEqual(local?.limits, { concurrency: 1 });
});

test('a configured `local` takes the place of the built-in one', () => {
  const provider = comfyuiProvider({ workflows: { local: workflow({}, 'Mine') } });
  assert.deepEqual(inputs(build({}, 'local', provider), '1'), { text: 'a lighthouse' });
  assert.equal(provider.models.length, 1);
});

test('the checkpoints of a server are listed as the models they are', () => {
  assert.equal(comfyui.catalog?.build(CONTEXT).url, 'http://gpu:8188/models/checkpoints');
  assert.deepEqual(comfyui.catalog?.parse(answer(['a.safetensors', 'put_checkpoints_here', 7])), [
    { id: 'a.safetensors' },
  ]);
});

test('the built-in graph is not changed by being filled', () => {
  const before = JSON.stringify(TEXT_TO_IMAGE);
  build({ seed: 1 });
  assert.equal(JSON.stringify(TEXT_TO_IMAGE), before);
});
