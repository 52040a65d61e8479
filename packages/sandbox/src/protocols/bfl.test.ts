import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Sandbox, startSandbox } from '../server.ts';
import {
  at,
  hookFor,
  type Imitated,
  imitate,
  ledgerOf,
  sandboxFor,
  temporaryDirectory,
  textAt,
} from '../testing/sandbox.ts';

const KEY = { 'x-key': 'key' };
const SMALL = { prompt: 'a red fox', width: 64, height: 64, seed: 7 };

function post(sandbox: Sandbox, fields: object = {}, script = ''): Promise<Imitated> {
  const path = `${script && `/fault/${script}`}/bfl/v1/flux-2-pro`;
  return imitate(sandbox, path, { body: { ...SMALL, ...fields }, headers: KEY });
}

async function ended(sandbox: Sandbox, pollingUrl: string): Promise<Imitated> {
  for (;;) {
    const seen = await imitate(sandbox, pollingUrl, { headers: KEY });
    if (seen.status !== 500 && textAt(seen.body, 'status') !== 'Pending') return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function playTo(sandbox: Sandbox, script: string, fields: object = {}): Promise<Imitated> {
  const { body } = await post(sandbox, fields, script);
  return ended(sandbox, textAt(body, 'polling_url'));
}

function refused({ status, body }: Imitated): readonly [number, unknown] {
  return [status, at(body, 'detail')];
}

async function sandboxOf(t: TestContext): Promise<Sandbox> {
  return sandboxFor(t);
}

test('a job is done after its polls, its picture is a link that lives ten minutes', async (t) => {
  const sandbox = await sandboxOf(t);
  const { body } = await post(sandbox, {}, 'slow:0.2');
  const polling = textAt(body, 'polling_url');
  assert.match(polling, /\/fault\/slow:0\.2\/bfl\/eu2\/v1\/get_result\?id=/u);
  assert.equal(at(body, 'cost'), 4);
  const pending = await imitate(sandbox, polling, { headers: KEY });
  assert.deepEqual([textAt(pending.body, 'status'), at(pending.body, 'result')], ['Pending', null]);
  const { body: done } = await ended(sandbox, polling);
  assert.deepEqual([textAt(done, 'status'), at(done, 'result.seed')], ['Ready', 7]);
  const sample = textAt(done, 'result.sample');
  const life = Number(new URL(sample).searchParams.get('expires')) - Date.now();
  assert.ok(life > 590_000 && life <= 600_000);
  const picture = await fetch(sample);
  assert.deepEqual([picture.status, picture.headers.get('content-type')], [200, 'image/jpeg']);
});

test('a job is unknown at the address that it was not sent to', async (t) => {
  const sandbox = await sandboxOf(t);
  const { body } = await post(sandbox);
  const elsewhere = await imitate(sandbox, `/bfl/v1/get_result?id=${textAt(body, 'id')}`, { headers: KEY });
  assert.deepEqual([elsewhere.status, textAt(elsewhere.body, 'status')], [404, 'Task not found']);
});

test('moderation and failure are statuses in a 200, and not charged', async (t) => {
  const sandbox = await sandboxOf(t);
  const statuses: string[] = [];
  for (const script of ['policy', 'moderated', 'policy-output', 'moderated-output:0.05', 'failed']) {
    const { status, body } = await playTo(sandbox, script);
    assert.equal(status, 200);
    assert.equal(at(body, 'result'), null);
    statuses.push(textAt(body, 'status'));
  }
  const [request, content] = ['Request Moderated', 'Content Moderated'];
  assert.deepEqual(statuses, [request, request, content, content, 'Error']);
  assert.deepEqual((await ledgerOf(sandbox)).models['bfl/flux-2-pro'], {
    ...{ requests: 5, images: 0, charged: 0, charged_usd: 0 },
  });
});

test('the submit is refused as FastAPI refuses', async (t) => {
  const sandbox = await sandboxOf(t);
  const of = async (script: string) => refused(await post(sandbox, {}, script));
  assert.deepEqual(await of('402'), [402, 'Insufficient credits. Please add credits to your account.']);
  assert.deepEqual(await of('401'), [403, 'Not authenticated - Invalid Authentication']);
  assert.deepEqual(await of('403'), [403, 'Forbidden']);
  assert.equal((await of('429-concurrency'))[0], 429);
  assert.deepEqual(await of('500'), [500, 'Internal Server Error']);
  assert.deepEqual(await of('503-overloaded'), [503, 'Service Unavailable']);
  assert.equal((await of('503'))[0], 503);
  assert.equal((await of('502-html'))[0], 502);
  const throttled = await post(sandbox, {}, '429:2');
  assert.deepEqual([throttled.status, throttled.headers.get('retry-after')], [429, '2']);
  const anonymous = await imitate(sandbox, '/bfl/v1/flux-2-pro', {
    body: SMALL,
    headers: { authorization: 'Bearer key' },
  });
  assert.equal(anonymous.status, 403);
});

test('fields out of their ranges are a 422 that names them', async (t) => {
  const sandbox = await sandboxOf(t);
  const named = async (model: string, fields: object) => {
    const path = `/bfl/v1/${model}`;
    const { status, body } = await imitate(sandbox, path, { body: { prompt: 'p', ...fields }, headers: KEY });
    return [status, at(body, 'detail.0.loc.1')];
  };
  assert.deepEqual(await named('flux-2-pro', { prompt: undefined }), [422, 'prompt']);
  assert.deepEqual(await named('flux-2-pro', { width: 100 }), [422, 'width']);
  assert.deepEqual(await named('flux-2-pro', { width: 32 }), [422, 'width']);
  assert.deepEqual(await named('flux-2-pro', { safety_tolerance: 6 }), [422, 'safety_tolerance']);
  assert.deepEqual(await named('flux-dev', { height: 272 }), [422, 'height']);
  assert.deepEqual(await named('flux-kontext-pro', { aspect_ratio: '4:1' }), [422, 'aspect_ratio']);
  assert.deepEqual(await named('flux-2-pro', { input_image: 'bm8gcGljdHVyZQ==' }), [422, 'input_image']);
  assert.deepEqual(await named('flux-2-pro', { output_format: 'webp' }), [422, 'output_format']);
  assert.deepEqual(await named('flux-9', {}), [404, undefined]);
});

test('every other look fails, the job is forgotten, the picture is spoiled or its link expired, as the script says', async (t) => {
  const sandbox = await sandboxOf(t);
  const { body } = await post(sandbox, {}, 'poll-500');
  const looks: number[] = [];
  for (let look = 0; look < 3; look++) {
    looks.push((await imitate(sandbox, textAt(body, 'polling_url'), { headers: KEY })).status);
  }
  assert.deepEqual(looks, [500, 200, 500]);
  const gone = await playTo(sandbox, 'gone:0.05');
  assert.deepEqual([gone.status, textAt(gone.body, 'status')], [404, 'Task not found']);
  assert.equal((await fetch(textAt((await playTo(sandbox, 'expired-url')).body, 'result.sample'))).status, 403);
  const flaky = textAt((await playTo(sandbox, 'flaky-download:2')).body, 'result.sample');
  const downloads = [await fetch(flaky), await fetch(flaky), await fetch(flaky)];
  assert.deepEqual(
    downloads.map(({ status }) => status),
    [503, 503, 200],
  );
  assert.equal(at((await playTo(sandbox, 'empty')).body, 'result.sample'), undefined);
  await assert.rejects(post(sandbox, {}, 'submit-lost'));
});

test('the webhook has the secret, the job and its picture, and comes once', async (t) => {
  const [sandbox, hook] = [await sandboxOf(t), await hookFor(t)];
  const { body } = await post(sandbox, { webhook_url: hook.url, webhook_secret: 'secret' });
  assert.equal(at(body, 'polling_url'), undefined);
  await hook.come(1);
  const [letter] = hook.received;
  assert.equal(textAt(letter, 'task_id'), textAt(body, 'id'));
  assert.match(textAt(letter, 'result.sample'), /\/files\//u);
});

test('a job goes on in another process as if there had been one', async (t) => {
  const dataDir = temporaryDirectory(t);
  const first = await startSandbox({ dataDir });
  const { body } = await post(first, {}, 'slow:0.3');
  await first.close();
  const second = await sandboxFor(t, { dataDir, port: first.port });
  const done = await ended(second, textAt(body, 'polling_url'));
  assert.equal(textAt(done.body, 'status'), 'Ready');
  assert.equal((await ledgerOf(second)).total.charged, 1);
});
