/** What an adapter must not decide where nobody has: whether work was done and is paid for, and whose fault it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../json.ts';
import { answer, ask, readAs } from '../testing/normaliser-rig.ts';
import { TINY_PNG_BASE64 } from '../testing/tiny-png.ts';
import { PROVIDERS } from './index.ts';

/** Cloudflare tells a program its own faults in JSON. */
const CLOUDFLARE = {
  type: 'https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/error-524/',
  title: 'Error 524: A timeout occurred',
  detail: 'The origin web server timed out responding to this request.',
  cloudflare_error: true,
};

test('what a proxy says for a server that it lost is nobody’s verdict', () => {
  for (const { id } of PROVIDERS) {
    for (const status of [502, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530]) {
      const reading = readAs(id, { ...CLOUDFLARE, status }, { status });
      assert.equal(reading.certainty, 'ambiguous', `${id} ${status}: ${JSON.stringify(reading)}`);
    }
    const bare = readAs(id, undefined, { status: 503, text: 'upstream connect error or disconnect/reset' });
    assert.equal(bare.certainty, 'ambiguous', `${id} 503: ${JSON.stringify(bare)}`);
  }
});

test('a submit whose answer is lost in fal’s gateway is undecided, whatever type comes along', () => {
  const body = { detail: 'Request timed out', error_type: 'request_timeout' };
  assert.equal(readAs('fal', body, { status: 504 }).certainty, 'ambiguous');
  const atResult = readAs('fal', body, { status: 504, handle: { id: 'job', step: 'result' } });
  assert.equal(atResult.certainty, 'failed');
});

test('a good status around words nobody knows is never taken for work that was not done', () => {
  const odd: readonly JsonValue[] = [{}, [], null, 'ok', 7, true, { ok: true }, { data: null }, { result: {} }, [[]]];
  for (const { id, image } of PROVIDERS) {
    for (const body of odd) {
      const submit = readAs(id, body);
      const isSafe = ['ambiguous', 'completed', undefined].includes(submit.certainty);
      assert.ok(isSafe && submit.kind !== 'next', `${id} ${JSON.stringify(body)}: ${JSON.stringify(submit)}`);
      if (image?.poll === undefined) continue;
      const look = readAs(id, body, { handle: { id: 'a', task: 'a', job: 'a', generation: 'a', response: 'a' } });
      assert.ok(look.kind === 'waiting' || look.kind === 'not_found', `${id}: ${JSON.stringify([body, look])}`);
    }
  }
});

test('an error that a look brought in a 200, without a word of the job, is not the job’s end', async () => {
  const picture = `data:image/png;base64,${TINY_PNG_BASE64}`;
  for (const id of ['foxapi', 'evolink']) {
    const [taken, lost] = [{ id: 'task-1', status: 'pending' }, { error: { message: 'upstream busy', code: 'x' } }];
    const done = { id: 'task-1', status: 'completed', results: [picture] };
    const { sent, types } = await ask(
      id,
      [taken, lost, done].map((body) => answer(body)),
    );
    assert.deepEqual([sent.map(({ method }) => method), types], [['POST', 'GET', 'GET'], ['png']], id);
  }
});

test('a job that came with a code nobody knows is waited for, and not paid again', () => {
  const reading = readAs('midjourney', { code: 200, description: 'success', result: '14001934816969359' });
  assert.deepEqual([reading.kind, reading.handle], ['waiting', { task: '14001934816969359' }]);
  assert.equal(readAs('midjourney', { code: 9, description: '失败', result: '1' }).certainty, 'failed');
});

test('a reseller’s code that is only the status says what the status says', () => {
  const at = (status: number) => readAs('midjourney', { code: status, description: 'no' }, { status }).kind;
  assert.deepEqual([at(401), at(403), at(429)], ['authentication', 'permission', 'throttled']);
});

test('a refusal is not laid at the account’s door for a word that it shares with one', () => {
  const kind = (id: string, body: JsonValue, status: number) => readAs(id, body, { status }).kind;
  assert.equal(kind('recraft', { code: 'internal', message: 'insufficient memory' }, 500), 'server');
  assert.equal(kind('recraft', { code: 'forbidden', message: 'insufficient permissions' }, 403), 'permission');
  assert.equal(kind('recraft', { code: 'not_enough_credits', message: 'not enough credits' }, 400), 'billing');
  assert.equal(kind('leonardo', { error: 'insufficient capacity', code: 'unexpected' }, 500), 'server');
  assert.equal(kind('leonardo', { error: 'not enough api tokens', code: 'unexpected' }, 400), 'billing');
  assert.equal(kind('xai', { code: 'internal', error: 'the safety service failed' }, 500), 'server');
});

test('a key that is refused in a 400 or a 403 is the key, not the request', () => {
  const words = 'Incorrect API key provided: xa***1. You can obtain an API key from https://console.x.ai.';
  assert.equal(
    readAs('xai', { code: 'Client specified an invalid argument', error: words }, { status: 400 }).kind,
    'authentication',
  );
  const headers = { 'x-amzn-errortype': 'AccessDeniedException' };
  const denied = { Message: 'Authentication failed: Please make sure your API Key is valid.' };
  assert.equal(readAs('bedrock', denied, { status: 403, headers }).kind, 'authentication');
  const model = { message: "You don't have access to the model with the specified model ID." };
  assert.equal(readAs('bedrock', model, { status: 403, headers }).kind, 'permission');
});

test('Together’s 403 is about the prompt where its words are, and else about the key or what stands before it', () => {
  const at = (body: JsonValue | undefined, text = '') => readAs('together', body, { status: 403, text });
  assert.equal(at({ error: { message: 'Input token count exceeds the context length' } }).kind, 'invalid');
  assert.equal(at({ error: { message: 'this key may not use the model' } }).kind, 'permission');
  const blocked = at(undefined, '<html>Sorry, you have been blocked</html>');
  assert.equal(blocked.kind, 'permission');
  assert.notEqual(blocked.message, '');
});

test('an empty id is no id: the job is undecided, and nothing else is looked up for it', () => {
  const bodies: Readonly<Record<string, JsonValue>> = {
    'openai-responses': { id: '', status: 'queued' },
    foxapi: { id: '', status: 'pending' },
    evolink: { id: '', status: 'pending' },
    luma: { id: '', state: 'queued' },
    leonardo: { sdGenerationJob: { generationId: '' } },
    'stable-diffusion-cpp': { id: '', status: 'queued' },
    bfl: { id: '' },
    replicate: { id: '', status: 'starting' },
    fal: { request_id: '' },
    midjourney: { code: 1, result: '' },
    comfyui: { prompt_id: '' },
  };
  for (const [id, body] of Object.entries(bodies)) {
    assert.equal(readAs(id, body).certainty, 'ambiguous', `${id}: ${JSON.stringify(readAs(id, body))}`);
  }
});

test('fal’s result, asked for too early, is no end of the job', () => {
  const body = { detail: 'Request is still in progress', error_type: 'bad_request' };
  const handle = { id: 'job', step: 'result' };
  assert.equal(readAs('fal', body, { status: 400, handle }).message?.includes('still in progress'), true);
  const fal = PROVIDERS.find(({ id }) => id === 'fal');
  assert.equal(fal?.image?.poll?.verdict?.({ status: 400, headers: {}, body, text: '' }, handle), undefined);
});
