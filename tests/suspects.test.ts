/** Pictures that are whole and yet not what was asked for: told, made once more, or counted as missing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, call } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({
    yaml: `
providers:
  good: { kind: openai, base_url: sandbox }
  black: { kind: openai, base_url: "sandbox:black" }
  better: { kind: openai, base_url: "sandbox:black,ok" }
  broken: { kind: openai, base_url: "sandbox:black,502-html" }
  other-size: { kind: openai, base_url: "sandbox:wrong-size" }
  other-type: { kind: openai, base_url: "sandbox:jpeg-as-png" }
routes:
  careful: { targets: [black/gpt-image-2], suspect: fail }
  again: { targets: [better/gpt-image-2], suspect: retry_new_seed }
`,
  });
});
after(() => gateway.close());

interface Doubt {
  readonly code: string;
  readonly detail: string;
}

function ask(model: string, word: string, headers: Readonly<Record<string, string>> = {}, fields: object = {}) {
  const body = { model, prompt: `a red fox, ${word}`, size: '1024x1024', ...fields };
  return call(`${gateway.url}/v1/images/generations`, { headers, body });
}

function doubts({ body }: Answer): readonly string[] {
  const images = (body.onetake?.images ?? []) as readonly { readonly suspect?: readonly Doubt[] }[];
  return images.flatMap(({ suspect = [] }) => suspect.map(({ code }) => code));
}

async function charged(word: string): Promise<number> {
  const { entries } = await readLedger(gateway.sandboxUrl);
  const own = entries.filter(({ prompt = '' }) => prompt.includes(word));
  return own.reduce((sum, one) => sum + one.charged, 0);
}

test('a good picture is no suspect, looked at or not', async () => {
  for (const headers of [{}, { 'x-onetake-suspect': 'accept' }, { 'x-onetake-suspect': 'fail' }]) {
    const answer = await ask('good/gpt-image-2', 'ant', headers);
    assert.equal(answer.status, 200);
    assert.deepEqual(doubts(answer), []);
  }
});

test('what needs no decoding is told at once, a look only where somebody asked for one', async () => {
  assert.deepEqual(doubts(await ask('other-size/gpt-image-2', 'bee')), ['wrong_size']);
  assert.deepEqual(doubts(await ask('other-type/gpt-image-2', 'bee', {}, { output_format: 'png' })), ['wrong_type']);
  assert.deepEqual(doubts(await ask('black/gpt-image-2', 'bee')), []);
});

test('accept: looked at before the answer, and told', async () => {
  const answer = await ask('black/gpt-image-2', 'cat', {}, { onetake: { suspect: 'accept' } });
  assert.equal(answer.status, 200);
  assert.deepEqual(doubts(answer), ['black', 'placeholder']);
  assert.equal(await charged('cat'), 1);
});

test('fail: 424 after one payment, and the picture stays linked in its generation', async () => {
  const { status, body, headers } = await ask('careful', 'dog');
  assert.deepEqual([status, body.error?.code, headers['x-should-retry']], [424, 'suspect_image', 'false']);
  assert.match(body.error?.message ?? '', /black: /);
  assert.deepEqual([body.onetake?.billed, await charged('dog')], ['yes', 1]);
  const told = await call(`${gateway.url}/v1/generations/${headers['x-onetake-generation']}`);
  const [kept] = told.body.set_aside as readonly { readonly url: string; readonly suspect: readonly Doubt[] }[];
  assert.equal(kept?.suspect[0]?.code, 'black');
  assert.equal((await call(kept?.url ?? '')).status, 200);
});

test('retry_new_seed: a second payment brings a good picture', async () => {
  const answer = await ask('again', 'eel');
  assert.equal(answer.status, 200);
  assert.deepEqual(doubts(answer), []);
  assert.deepEqual([answer.body.onetake?.paid_attempts, await charged('eel')], [2, 2]);
});

test('retry_new_seed: strict pays once, and what is doubted is delivered and told', async () => {
  const headers = { 'x-onetake-payment': 'strict', 'x-onetake-suspect': 'retry_new_seed' };
  const answer = await ask('black/gpt-image-2', 'fly', headers);
  assert.equal(answer.status, 200);
  assert.deepEqual(doubts(answer), ['black', 'placeholder']);
  assert.equal(await charged('fly'), 1);
});

test('retry_new_seed: where the second try brings nothing the first picture is the answer', async () => {
  const answer = await ask('broken/gpt-image-2', 'gnu', { 'x-onetake-suspect': 'retry_new_seed' });
  assert.equal(answer.status, 200);
  assert.deepEqual([doubts(answer), answer.body.onetake?.attempts], [['black', 'placeholder'], 2]);
});

test('retry_new_seed: no seed cures a wrong size, so nobody pays for it', async () => {
  const answer = await ask('other-size/gpt-image-2', 'hen', { 'x-onetake-suspect': 'retry_new_seed' });
  assert.deepEqual([answer.status, doubts(answer), await charged('hen')], [200, ['wrong_size'], 1]);
});

test('another word is refused with those there are', async () => {
  const { status, body } = await ask('black/gpt-image-2', 'imp', { 'x-onetake-suspect': 'maybe' });
  assert.deepEqual([status, body.error?.param], [400, 'x-onetake-suspect']);
  assert.match(body.error?.message ?? '', /accept, retry_new_seed or fail/);
});
