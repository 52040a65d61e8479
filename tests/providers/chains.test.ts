/** A route whose first two targets are broken, each in ten ways: one picture or one clear error, and nothing paid twice. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { askRoute, type Break, billOf, FIRST, fateOf, type Payment, SECOND } from '../rig/broken-chain.ts';
import type { Answer } from '../rig/call.ts';
import { call } from '../rig/call.ts';
import { type RunningGateway, startGateway } from '../rig/gateway.ts';

const AT_ONCE = 12;
const SHOWN_CHARACTERS = 1_000;
/** A provider entry per pair keeps breakers and keys of pairs apart; a gateway has at most 100 of them. */
const PAIRS_PER_GATEWAY = 50;

interface Pair {
  readonly name: string;
  readonly first: Break;
  readonly second: Break;
}

const PAIRS: readonly Pair[] = FIRST.flatMap((first, row) =>
  SECOND.map((second, column) => ({ name: `${row}-${column}`, first, second })),
);

function yamlOf(pairs: readonly Pair[]): string {
  const providers = pairs.flatMap(({ name, first, second }) => [
    `  first-${name}: {kind: openai, base_url: "sandbox:${first.script}"}`,
    `  second-${name}: {kind: bfl, base_url: "sandbox:${second.script}"}`,
  ]);
  const routes = pairs.map(
    ({ name }) => `  pair-${name}: [first-${name}/gpt-image-2, second-${name}/flux-2-pro, sandbox/ok]`,
  );
  return ['providers:', ...providers, 'routes:', ...routes, ''].join('\n');
}

function chains(payment: Payment, mostPaid: number): void {
  for (const start of [0, PAIRS_PER_GATEWAY]) {
    const pairs = PAIRS.slice(start, start + PAIRS_PER_GATEWAY);
    suite(`payment ${payment}, from pair ${start}`, { concurrency: AT_ONCE }, () => {
      let gateway: RunningGateway;
      before(async () => {
        gateway = await startGateway({ yaml: yamlOf(pairs) });
      });
      after(() => gateway?.close());
      for (const pair of pairs) {
        test(`${pair.first.script}, then ${pair.second.script}`, () => proveChain(gateway, pair, payment, mostPaid));
      }
    });
  }
}

async function proveChain(gateway: RunningGateway, pair: Pair, payment: Payment, mostPaid: number): Promise<void> {
  const { name, first, second } = pair;
  const prompt = `a red fox, ${payment}, pair ${name}`;
  const headers = { 'x-onetake-payment': payment, 'x-onetake-max-paid-attempts': String(mostPaid) };
  const answer = await askRoute(gateway, `pair-${name}`, prompt, headers);
  const fate = fateOf([first, second], payment, mostPaid);
  const bill = await billOf(gateway, prompt);
  const [atFirst = 0, atSecond = 0] = fate.payments;
  const paid = fate.payments.reduce((sum, one) => sum + one, 0);
  assert.equal(answer.headers['x-onetake-paid-attempts'], String(paid), answer.text.slice(0, SHOWN_CHARACTERS));
  assert.ok(paid <= mostPaid && bill.total.charged <= paid);
  assert.equal(bill.second.requests > 0, fate.asked > 1);
  assert.equal(bill.first.charged, first.charged * atFirst);
  assert.equal(bill.second.charged, second.charged * atSecond);
  assert.deepEqual(bill.third, fate.picture ? { requests: 1, charged: 1 } : { requests: 0, charged: 0 });
  if (fate.picture) provePicture(answer);
  else proveError(answer, paid);
}

function provePicture({ status, headers, body }: Answer): void {
  assert.deepEqual([status, body.data?.length], [200, 1]);
  assert.deepEqual([headers['x-onetake-provider'], headers['x-onetake-model']], ['sandbox', 'ok']);
  assert.match(String(headers['x-onetake-fallback']), /^2 \([a-z_]+\)$/);
}

/** A status that no client repeats by itself where something may be billed, a code, and what to do. */
function proveError({ status, headers, body, text }: Answer, paid: number): void {
  assert.ok([400, 424].includes(status), text);
  assert.equal(body.data, undefined);
  assert.match(body.error?.code ?? '', /\w/);
  assert.match(body.onetake?.advice ?? '', /\w/);
  assert.equal(headers['x-should-retry'], 'false');
  assert.equal(body.onetake?.billed === 'no', paid === 0, text);
}

chains('strict', 1);
chains('standard', 2);
chains('available', 3);

suite('x-onetake-fallback: off', { concurrency: AT_ONCE }, () => {
  let gateway: RunningGateway;
  const pairs = FIRST.map((first, row) => ({ name: `${row}`, first, second: { ...first, script: 'ok' } }));
  before(async () => {
    gateway = await startGateway({ yaml: yamlOf(pairs) });
  });
  after(() => gateway?.close());
  for (const { name, first } of pairs) {
    test(`${first.script}: the first target alone is asked`, async () => {
      const prompt = `a red fox, alone, ${name}`;
      const headers = { 'x-onetake-fallback': 'off', 'x-onetake-timeout-ms': '20000' };
      const answer = await askRoute(gateway, `pair-${name}`, prompt, headers);
      const bill = await billOf(gateway, prompt);
      assert.ok(answer.status >= 400, answer.text);
      assert.equal(answer.headers['x-onetake-fallback'], undefined);
      assert.deepEqual([bill.second.requests, bill.third.requests], [0, 0]);
      assert.equal(bill.first.charged, first.charged);
      assert.ok(Number(answer.headers['x-onetake-paid-attempts']) <= 2);
    });
  }
});

suite('who made it, and why', () => {
  let gateway: RunningGateway;
  before(async () => {
    const yaml = [
      'providers:',
      '  bfl: {base_url: sandbox}',
      '  broke: {kind: openai, base_url: "sandbox:quota"}',
      '  busy: {kind: stability, base_url: "sandbox:429:600"}',
      'routes:',
      '  best: [broke/gpt-image-2, busy/core, bfl/flux-2-pro]',
      '',
    ].join('\n');
    gateway = await startGateway({ yaml });
  });
  after(() => gateway?.close());

  test('headers name the provider, the model and how many were passed over; the timeline says why', async () => {
    const { status, headers } = await askRoute(gateway, 'best', 'a red fox, told', {});
    assert.equal(status, 200);
    const told = ['provider', 'model', 'fallback'].map((name) => headers[`x-onetake-${name}`]);
    assert.deepEqual(told, ['bfl', 'flux-2-pro', '2 (quota)']);
    const { body } = await call(`${gateway.url}/v1/generations/${headers['x-onetake-generation']}`);
    assert.equal(body.target, 'bfl/flux-2-pro');
    const ends = (body.timeline as readonly Event[]).filter(({ type }) => type === 'attempt-ended');
    assert.deepEqual(
      ends.map(({ ok, failure }) => [ok, failure?.kind]),
      [
        [false, 'quota'],
        [false, 'throttled'],
        [true, undefined],
      ],
    );
    const starts = (body.timeline as readonly Event[]).filter(({ type }) => type === 'attempt-started');
    assert.deepEqual(
      starts.map(({ target }) => target),
      ['broke/gpt-image-2', 'busy/core', 'bfl/flux-2-pro'],
    );
  });
});

interface Event {
  readonly type: string;
  readonly target?: string;
  readonly ok?: boolean;
  readonly failure?: { readonly kind: string };
}
