/** Pictures from servers of one's own: the gateway before the sandbox's AUTOMATIC1111 and ComfyUI. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createIntake, createMemoryAssets } from '@onetake/core';
import OpenAI, { toFile } from 'openai';
import { type Answer, call } from './rig/call.ts';
import { temporaryDirectory } from './rig/directories.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { countOf, readLedger } from './rig/ledger.ts';
import { until } from './rig/poll.ts';
import { type RunningSandbox, startSandbox } from './rig/sandbox.ts';

/** Paints over the white part of a mask. */
const PAINT = {
  '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: '{{checkpoint}}' } },
  '2': { class_type: 'LoadImage', inputs: { image: '{{image_1}}' } },
  '3': { class_type: 'LoadImageMask', inputs: { image: '{{mask}}', channel: 'red' } },
  '4': { class_type: 'VAEEncodeForInpaint', inputs: { pixels: ['2', 0], vae: ['1', 2], mask: ['3', 0] } },
  '5': { class_type: 'CLIPTextEncode', inputs: { text: 'a photo of {{prompt}}', clip: ['1', 1] } },
  '6': {
    class_type: 'KSampler',
    inputs: { seed: '{{seed}}', steps: '{{steps|20}}', positive: ['5', 0], latent_image: ['4', 0] },
  },
  '7': { class_type: 'VAEDecode', inputs: { samples: ['6', 0], vae: ['1', 2] } },
  '8': { class_type: 'SaveImage', inputs: { images: ['7', 0] } },
};

/** One transparent pixel: all of it may be painted over. */
const CLEAR = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

let sandbox: RunningSandbox;
/** A second machine, which will be lost. */
let doomed: RunningSandbox;
let gateway: RunningGateway;
before(async () => {
  [sandbox, doomed] = await Promise.all([startSandbox(), startSandbox()]);
  const home = temporaryDirectory();
  writeFileSync(join(home, 'paint.json'), JSON.stringify(PAINT));
  const server = (script: string, name: string) => `${sandbox.url}/fault/${script}/${name}`;
  const yaml = [
    'sandbox: off',
    'providers:',
    `  automatic1111: { base_url: "${sandbox.url}/automatic1111" }`,
    `  comfyui: { base_url: "${sandbox.url}/comfyui", checkpoint: sd_xl_base_1.0.safetensors, workflows: { paint: paint.json } }`,
    `  behind: { kind: comfyui, base_url: "${server('queued:1', 'comfyui')}" }`,
    `  crashing: { kind: comfyui, base_url: "${server('failed:0.05', 'comfyui')}" }`,
    `  dead: { kind: automatic1111, base_url: "http://127.0.0.1:${sandbox.refusePort}" }`,
    `  endless: { kind: comfyui, base_url: "${server('slow:60', 'comfyui')}" }`,
    `  torn: { kind: comfyui, base_url: "${server('flaky-download', 'comfyui')}" }`,
    `  slow: { kind: automatic1111, base_url: "${server('slow:60', 'automatic1111')}" }`,
    `  halls: { kind: comfyui, base_url: ["http://127.0.0.1:${sandbox.refusePort}", "${sandbox.url}/comfyui"] }`,
    `  pool: { kind: automatic1111, base_url: ["${doomed.url}/fault/slow:60/automatic1111", "${sandbox.url}/automatic1111"] }`,
    'routes:',
    '  house: [dead/default, crashing/local, automatic1111/default]',
    '',
  ];
  gateway = await startGateway({ home, yaml: yaml.join('\n') });
});
after(async () => {
  await gateway.close();
  await Promise.all([sandbox.close(), doomed.close()]);
});

function generate(fields: object): Promise<Answer> {
  return call(`${gateway.url}/v1/images/generations`, { body: { prompt: 'a lighthouse', size: '64x64', ...fields } });
}

async function sizesOf({ status, text, body }: Answer): Promise<readonly string[]> {
  assert.equal(status, 200, text);
  const sizes = (body.data ?? []).map(async ({ b64_json: base64 = '' }) => {
    const intake = createIntake(createMemoryAssets());
    const blob = intake.openBlob();
    await blob.write(Buffer.from(base64, 'base64'));
    const settled = await intake.settle(blob.end());
    return settled.ok ? `${settled.asset.width}x${settled.asset.height}` : settled.problem;
  });
  return Promise.all(sizes);
}

test('both make pictures of the size that was asked for, as many as were asked for', async () => {
  for (const model of ['automatic1111/default', 'automatic1111/sd_xl_base_1.0', 'comfyui/local']) {
    const answer = await generate({ model, size: '128x64', n: 2, response_format: 'b64_json' });
    assert.deepEqual(await sizesOf(answer), ['128x64', '128x64'], model);
  }
});

test('more than a call takes are made in several, one after the other', async () => {
  const before = await readLedger(sandbox.url);
  const answer = await generate({ model: 'automatic1111/default', n: 6, response_format: 'b64_json' });
  assert.equal((await sizesOf(answer)).length, 6);
  const made = (await readLedger(sandbox.url)).entries.slice(before.entries.length).map(({ images }) => images);
  assert.deepEqual(made.toSorted(), [2, 4]);
});

test('a checkpoint that ComfyUI lacks is told, with those it has', async () => {
  const { status, body } = await generate({ model: 'comfyui/nope.safetensors' });
  assert.equal(status, 404);
  assert.match(body.error?.message ?? '', /sd_xl_base_1\.0\.safetensors/);
});

test('a checkpoint that AUTOMATIC1111 silently replaces is told', async () => {
  const { status, body } = await generate({ model: 'automatic1111/nope' });
  assert.equal(status, 404);
  assert.match(body.error?.message ?? '', /has no checkpoint "nope" and made the picture with "v1-5-pruned-emaonly"/);
});

test('a typo in a workflow’s name is a 404 that knows better', async () => {
  const { status, body } = await generate({ model: 'comfyui/pant' });
  assert.equal(status, 404);
  assert.match(body.error?.message ?? '', /paint/);
});

test('too little memory is told as such, and what to do', async () => {
  for (const model of ['automatic1111/default', 'comfyui/local']) {
    const { status, body } = await generate({ model, size: '2048x2048', n: 2 });
    assert.equal(body.error?.code, 'out_of_memory', `${model}: ${JSON.stringify(body)}`);
    assert.equal(status, 424);
    assert.match(body.onetake?.advice ?? '', /smaller size/);
  }
});

test('a server that is down and one that crashes are left for the next, which costs nothing', async () => {
  const answer = await generate({ model: 'house', response_format: 'b64_json' });
  assert.deepEqual(await sizesOf(answer), ['64x64']);
  assert.equal(answer.headers['x-onetake-provider'], 'automatic1111');
  assert.equal(answer.headers['x-onetake-paid-attempts'], '0');
});

test('an edit of a workflow uploads picture and mask and is made with the owner’s checkpoint', async () => {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const picture = () => toFile(CLEAR, 'picture.png', { type: 'image/png' });
  const before = await countOf(sandbox.url, 'comfyui/sd_xl_base_1.0.safetensors');
  const edited = await client.images.edit({
    model: 'comfyui/paint',
    prompt: 'a door',
    image: await picture(),
    mask: await picture(),
  });
  assert.equal(edited.data?.length, 1);
  const made = (await readLedger(sandbox.url)).entries.at(-1);
  assert.deepEqual([made?.model, made?.prompt], ['comfyui/sd_xl_base_1.0.safetensors', 'a photo of a door']);
  assert.equal((await countOf(sandbox.url, 'comfyui/sd_xl_base_1.0.safetensors')).requests, before.requests + 1);
});

test('AUTOMATIC1111 edits a picture in the size it has', async () => {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const drawn = await generate({ model: 'comfyui/local', size: '128x64', response_format: 'b64_json' });
  const image = await toFile(Buffer.from(drawn.body.data?.[0]?.b64_json ?? '', 'base64'), 'a.png', {
    type: 'image/png',
  });
  const edited = await client.images.edit({
    model: 'automatic1111/default',
    prompt: 'at night',
    image,
    response_format: 'b64_json',
  });
  const [base64 = ''] = (edited.data ?? []).map((one) => one.b64_json ?? '');
  const bytes = Buffer.from(base64, 'base64');
  assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [128, 64]);
});

test('a task says that it waits at the server, and one that is canceled leaves its queue', async () => {
  const submitted = async (model: string) => {
    const { status, body } = await call(`${gateway.url}/v1/tasks`, { body: { model, prompt: 'a fox', size: '64x64' } });
    assert.equal(status, 202, JSON.stringify(body));
    return `${gateway.url}/v1/tasks/${body.id}`;
  };
  const waiting = await submitted('behind/local');
  const done = await until('the task behind others is done', async () => {
    const { body } = await call(`${waiting}?wait=5`);
    return body.status !== 'queued' && body.status !== 'running' && body.status !== 'in_progress' && body;
  });
  assert.equal(done.status, 'completed');

  const endless = await submitted('endless/local');
  const queue = () => call(`${sandbox.url}/fault/slow:60/comfyui/queue`);
  await until('the job runs', async () => ((await queue()).body.queue_running as unknown[]).length === 1);
  // Long enough for the gateway to have looked at it once.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const canceled = await call(endless, { method: 'DELETE' });
  assert.deepEqual([canceled.status, canceled.body.status], [200, 'canceled']);
  assert.match(canceled.text, /the server took note/);
  await until('the job is gone', async () => ((await queue()).body.queue_running as unknown[]).length === 0);
});

test('a server of AUTOMATIC1111 says how far it is while its one answer is awaited', async () => {
  const { body: task } = await call(`${gateway.url}/v1/tasks`, { body: { model: 'slow/default', prompt: 'a fox' } });
  const url = `${gateway.url}/v1/tasks/${task.id}`;
  const seen = await until('progress is told', async () => {
    const { body } = await call(url);
    return typeof body.progress === 'number' && body.progress > 0 && body;
  });
  assert.ok(Number(seen.progress) < 100);
  await call(url, { method: 'DELETE' });
});

test('a picture whose download fails is downloaded again, and not made again', async () => {
  const answer = await generate({ model: 'torn/local', response_format: 'b64_json' });
  assert.deepEqual(await sizesOf(answer), ['64x64']);
  assert.equal(answer.headers['x-onetake-attempts'], '1');
});

test('a server of a pool that is down is left for the other', async () => {
  const answer = await generate({ model: 'halls/local', response_format: 'b64_json' });
  assert.deepEqual(await sizesOf(answer), ['64x64']);
});

test('what a dying server was working on is made by the other, and nothing is paid', async () => {
  const both = Promise.all(
    ['a pier', 'a buoy'].map((prompt) => generate({ model: 'pool/default', prompt, response_format: 'b64_json' })),
  );
  await until('it is at work', async () => (await readLedger(doomed.url)).total.requests === 1);
  await doomed.kill();
  for (const answer of await both) {
    assert.deepEqual(await sizesOf(answer), ['64x64']);
    assert.equal(answer.headers['x-onetake-paid-attempts'], '0');
  }
});
