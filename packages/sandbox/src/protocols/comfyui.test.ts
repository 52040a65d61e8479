import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../server.ts';
import { sandboxFor } from '../testing/sandbox.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

interface Told {
  readonly prompt_id: string;
  readonly error: { type: string };
  readonly node_errors: Record<string, { class_type: string; errors: { type: string; details: string }[] }>;
  readonly queue_running: unknown[][];
  readonly queue_pending: unknown[][];
  readonly name: string;
  readonly subfolder: string;
  readonly [id: string]: unknown;
}

interface End {
  readonly outputs: Record<string, { images: { filename: string; type: string }[] }>;
  readonly status: { status_str: string; messages: [string, { exception_type?: string }][] };
}

function graph(changes: Record<string, object> = {}): object {
  const inputs: Record<string, object> = {
    KSampler: { seed: 7, steps: 20, cfg: 7, positive: ['6', 0], latent_image: ['5', 0] },
    CheckpointLoaderSimple: { ckpt_name: 'sd_xl_base_1.0.safetensors' },
    EmptyLatentImage: { width: 64, height: 48, batch_size: 1 },
    CLIPTextEncode: { text: 'a fox', clip: ['4', 1] },
    VAEDecode: { samples: ['3', 0] },
    SaveImage: { images: ['7', 0] },
  };
  const nodes = Object.entries(inputs).map(([class_type, given], index) => {
    return [String(index + 3), { class_type, inputs: { ...given, ...changes[class_type] } }];
  });
  return Object.fromEntries(nodes);
}

async function call(sandbox: Sandbox, path: string, fields?: object, script = 'ok') {
  const init = fields && { method: 'POST', body: JSON.stringify(fields) };
  const response = await fetch(`${sandbox.url}/fault/${script}/comfyui${path}`, init);
  const text = await response.text();
  return { status: response.status, body: (text.startsWith('{') ? JSON.parse(text) : {}) as Told };
}

async function ended(sandbox: Sandbox, id: string, script = 'ok'): Promise<End> {
  for (let looks = 0; looks < 100; looks += 1) {
    const { body } = await call(sandbox, `/history/${id}`, undefined, script);
    if (body[id]) return body[id] as End;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${id} did not end`);
}

test('a job is in the queue until it is in the history, with the names of its files', async (t) => {
  const sandbox = await sandboxFor(t);
  const prompt = graph({ EmptyLatentImage: { batch_size: 2 } });
  const { body } = await call(sandbox, '/prompt', { prompt, fault: 'slow:1' });
  const id = body.prompt_id;
  assert.deepEqual(body.node_errors, {});
  assert.equal((await call(sandbox, '/queue')).body.queue_running[0]?.[1], id);
  assert.deepEqual((await call(sandbox, `/history/${id}`)).body, {});
  const { outputs, status } = await ended(sandbox, id);
  assert.equal(status.status_str, 'success');
  const images = outputs['8']?.images ?? [];
  assert.equal(images.length, 2);
  const picture = await fetch(`${sandbox.url}/comfyui/view?filename=${images[1]?.filename}&subfolder=&type=output`);
  assert.equal(picture.status, 404, 'another machine has other files');
  const own = await fetch(`${sandbox.url}/fault/ok/comfyui/api/view?filename=${images[1]?.filename}&type=output`);
  assert.equal(own.headers.get('content-type'), 'image/png');
  assert.deepEqual((await call(sandbox, '/queue')).body, { queue_running: [], queue_pending: [] });
});

test('a graph it cannot run is refused with what is wrong at which node', async (t) => {
  const sandbox = await sandboxFor(t);
  const refused = async (changes: Record<string, object>) => {
    const { status, body } = await call(sandbox, '/prompt', { prompt: graph(changes) });
    const [node] = Object.values(body.node_errors);
    return [status, body.error.type, node?.class_type, node?.errors[0]?.type];
  };
  const failed = 'prompt_outputs_failed_validation';
  assert.deepEqual(await refused({ CheckpointLoaderSimple: { ckpt_name: 'x' } }), [
    400,
    failed,
    'CheckpointLoaderSimple',
    'value_not_in_list',
  ]);
  assert.deepEqual(await refused({ KSampler: { steps: 0 } }), [400, failed, 'KSampler', 'value_smaller_than_min']);
  assert.deepEqual(await refused({ KSampler: { seed: '{{seed}}' } }), [400, failed, 'KSampler', 'invalid_input_type']);
  const unknown = await call(sandbox, '/prompt', { prompt: { '1': { class_type: 'Nope', inputs: {} } } });
  assert.equal(unknown.body.error.type, 'invalid_prompt');
  const silent = await call(sandbox, '/prompt', { prompt: {} });
  assert.equal(silent.body.error.type, 'prompt_no_outputs');
});

test('what does not fit into memory fails in the work, after it was accepted', async (t) => {
  const sandbox = await sandboxFor(t);
  const large = graph({ EmptyLatentImage: { width: 2048, height: 2048, batch_size: 2 } });
  const { status, body } = await call(sandbox, '/prompt', { prompt: large });
  assert.equal(status, 200);
  const { outputs, status: end } = await ended(sandbox, body.prompt_id);
  assert.deepEqual([outputs, end.status_str], [{}, 'error']);
  assert.equal(end.messages.at(-1)?.[1].exception_type, 'torch.OutOfMemoryError');
});

test('what waits is deleted and leaves nothing, what runs is interrupted and says so', async (t) => {
  const sandbox = await sandboxFor(t);
  const submit = async (script: string) => (await call(sandbox, '/prompt', { prompt: graph() }, script)).body.prompt_id;
  const waiting = await submit('queued:60');
  await call(sandbox, '/queue', { delete: [waiting] }, 'queued:60');
  assert.deepEqual((await call(sandbox, '/queue', undefined, 'queued:60')).body.queue_pending, []);
  assert.deepEqual((await call(sandbox, `/history/${waiting}`, undefined, 'queued:60')).body, {});
  const running = await submit('slow:60');
  await call(sandbox, '/queue', { delete: [running] }, 'slow:60');
  await call(sandbox, '/interrupt', { prompt_id: 'another' }, 'slow:60');
  assert.equal((await call(sandbox, '/queue', undefined, 'slow:60')).body.queue_running.length, 1);
  await call(sandbox, '/interrupt', { prompt_id: running }, 'slow:60');
  const { status } = await ended(sandbox, running, 'slow:60');
  assert.equal(status.messages.at(-1)?.[0], 'execution_interrupted');
});

test('an uploaded picture can be loaded, one that was not cannot', async (t) => {
  const sandbox = await sandboxFor(t);
  const form = new FormData();
  form.set('subfolder', 'onetake');
  form.set('image', new Blob([PNG], { type: 'image/png' }), 'a.png');
  const response = await fetch(`${sandbox.url}/fault/ok/comfyui/upload/image`, { method: 'POST', body: form });
  const { name, subfolder } = (await response.json()) as Told;
  const loading = (image: string) => ({ prompt: { ...graph(), '20': { class_type: 'LoadImage', inputs: { image } } } });
  assert.equal((await call(sandbox, '/prompt', loading(`${subfolder}/${name}`))).status, 200);
  assert.equal((await call(sandbox, '/prompt', loading('nope.png'))).status, 400);
  const back = await fetch(`${sandbox.url}/fault/ok/comfyui/view?filename=${name}&subfolder=onetake&type=input`);
  assert.deepEqual(Buffer.from(await back.arrayBuffer()), PNG);
});
