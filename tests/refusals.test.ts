/** Prompts that are judged before they are sent, refusals that say what to do, and ladders that routes ask for. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { readLedger } from './rig/ledger.ts';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({
    yaml: `
providers:
  strict: { kind: openai, base_url: "sandbox:policy,ok" }
  never: { kind: openai, base_url: "sandbox:policy" }
  withheld: { kind: openai, base_url: "sandbox:policy-output,ok" }
  always: { kind: openai, base_url: "sandbox:policy-output" }
  good: { kind: openai, base_url: sandbox }
prompt_rules: on
routes:
  free: { targets: [good/gpt-image-2], prompt_rules: off }
  plain: [never/gpt-image-2, good/gpt-image-2]
  laxer: { targets: [strict/gpt-image-2], refusals: { ladder: [laxer_setting] } }
  again: { targets: [withheld/gpt-image-2], refusals: { ladder: [same_again] } }
  frugal: { targets: [withheld/gpt-image-2], refusals: { ladder: [same_again], max_paid: 1 } }
  climb:
    targets: [never/gpt-image-2, good/gpt-image-2]
    refusals: { ladder: [laxer_setting, same_again, rewrite, next_target] }
  short:
    targets: [never/gpt-image-2, good/gpt-image-2]
    refusals: { ladder: [rewrite, next_target], max_rungs: 1 }
  costly:
    targets: [always/gpt-image-2, good/gpt-image-2]
    refusals: { ladder: [same_again, same_again, same_again, next_target], max_rungs: 8, max_paid: 3 }
    payment: available
    max_paid_attempts: 5
`,
  });
});
after(() => gateway.close());

interface Told {
  readonly status: number;
  readonly error: Record<string, unknown>;
  readonly onetake: Record<string, unknown>;
  readonly headers: Headers;
}

async function generate(body: object, path = '/v1/images/generations'): Promise<Told> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = (await response.json()) as Omit<Told, 'status' | 'headers'>;
  return { ...told, status: response.status, headers: response.headers };
}

/** What the sandbox was asked with this word in the prompt, and what it charged. */
async function asked(word: string) {
  const { entries } = await readLedger(gateway.sandboxUrl);
  const own = entries.filter(({ prompt = '' }) => prompt.includes(word));
  return { prompts: own.map(({ prompt }) => prompt), charged: own.reduce((sum, { charged }) => sum + charged, 0) };
}

async function timeline(headers: Headers) {
  const { body } = await call(`${gateway.url}/v1/generations/${headers.get('x-onetake-generation')}`);
  const { timeline: lines } = body as unknown as { timeline: readonly Record<string, unknown>[] };
  return lines.filter(({ type }) => type === 'rung-taken').map(({ rung, target }) => [rung, target]);
}

test('a prompt that a rule refuses costs nothing and says what to write', async () => {
  for (const path of ['/v1/images/generations', '/v1/tasks']) {
    const { status, error, onetake } = await generate(
      { model: 'plain', prompt: 'zebra one: a dismembered body' },
      path,
    );
    assert.deepEqual([status, error.code, error.param], [400, 'content_policy_violation', 'prompt']);
    assert.match(
      String(error.message),
      /^prompt: "dismembered body" is refused .* \(rule violence-extreme\); show the/,
    );
    assert.equal(onetake.billed, 'no');
    assert.match(String(onetake.advice), /^A rule of this gateway/);
    const [finding] = onetake.findings as readonly Record<string, unknown>[];
    assert.deepEqual(
      [finding?.rule, finding?.value, finding?.action],
      ['violence-extreme', 'dismembered body', 'refuse'],
    );
    const { stage, categories, reason, provider_text } = onetake.refusal as Record<string, unknown>;
    assert.deepEqual(
      [stage, categories, reason, provider_text],
      ['input', ['violence'], 'violence-extreme', undefined],
    );
  }
  assert.deepEqual((await asked('zebra one')).prompts, []);
});

test('what is no prompt is refused by every model, and a rule only where rules hold', async () => {
  const control = await generate({ model: 'free', prompt: 'zebra two\u0007' });
  assert.deepEqual([control.status, control.error.code], [400, 'invalid_prompt']);
  assert.match(String(control.error.message), /U\+0007 at character 10/);
  const passed = await generate({ model: 'free', prompt: 'zebra two: a dismembered body' });
  assert.equal(passed.status, 200);
});

test('a warning stands beside the picture', async () => {
  const { status, onetake } = await generate({ model: 'good/gpt-image-2', prompt: 'zebra three with a Nike logo' });
  assert.equal(status, 200);
  const [warning] = onetake.warnings as readonly Record<string, unknown>[];
  assert.deepEqual([warning?.rule, warning?.action, warning?.category], ['brand-logo', 'warn', 'likeness']);
});

test('without a ladder a refusal is the end, with the stage, the reason and what to try', async () => {
  const prompt = 'zebra four with a dangerous weapon';
  const { status, error, onetake, headers } = await generate({ model: 'plain', prompt });
  assert.deepEqual([status, error.code, onetake.billed], [400, 'content_policy_violation', 'no']);
  const refusal = onetake.refusal as Record<string, unknown>;
  assert.deepEqual([refusal.stage, refusal.reason, refusal.categories], ['input', 'moderation_blocked', ['violence']]);
  assert.match(String(refusal.provider_text), /rejected by the safety system/);
  const [first] = refusal.suggestions as readonly string[];
  assert.equal(first, 'Say “vintage wooden toy sword” instead of “dangerous weapon”.');
  assert.deepEqual([(await asked('zebra four')).prompts.length, await timeline(headers)], [1, []]);
});

test('a picture that was withheld says so, and that it is billed', async () => {
  const { onetake } = await generate({ model: 'always/gpt-image-2', prompt: 'zebra five' });
  const { stage, suggestions } = onetake.refusal as { stage: string; suggestions: readonly string[] };
  assert.deepEqual([stage, onetake.billed], ['output', 'yes']);
  assert.ok(
    suggestions.some((one) => /once more/.test(one)),
    String(suggestions),
  );
});

test('the laxer setting is tried where the route asks for it, and is no other prompt', async () => {
  const { status, headers, onetake } = await generate({ model: 'laxer', prompt: 'zebra six' });
  assert.deepEqual([status, headers.get('x-onetake-attempts'), onetake.rewritten], [200, '2', undefined]);
  assert.deepEqual(await timeline(headers), [['laxer_setting', 'strict/gpt-image-2']]);
  assert.deepEqual((await asked('zebra six')).charged, 1);
});

test('a withheld picture is asked for once more, if its price is allowed for', async () => {
  const again = await generate({ model: 'again', prompt: 'zebra seven' });
  assert.deepEqual([again.status, again.onetake.paid_attempts], [200, 2]);
  assert.equal((await asked('zebra seven')).charged, 2);
  const frugal = await generate({ model: 'frugal', prompt: 'zebra eight' });
  assert.deepEqual([frugal.status, (await asked('zebra eight')).charged], [400, 1]);
  const strict = await generate({ model: 'again', prompt: 'zebra nine', onetake: { payment: 'strict' } });
  assert.deepEqual([strict.status, (await asked('zebra nine')).charged], [400, 1]);
});

test('every rung is seen, and a picture in other words says in which', async () => {
  const { status, headers, onetake } = await generate({ model: 'climb', prompt: 'Zebra ten with a dangerous weapon' });
  assert.equal(status, 200);
  assert.deepEqual(await timeline(headers), [
    ['laxer_setting', 'never/gpt-image-2'],
    ['rewrite', 'never/gpt-image-2'],
    ['next_target', 'good/gpt-image-2'],
  ]);
  const { prompts, charged } = await asked('Zebra ten');
  const milder = 'Zebra ten with a vintage wooden toy sword';
  assert.deepEqual(prompts.slice(2), [milder, milder]);
  assert.equal(charged, 1);
  assert.equal(headers.get('x-onetake-rewritten'), '1');
  const { prompt, changes, diff } = onetake.rewritten as Record<string, unknown>;
  assert.deepEqual([prompt, diff], [milder, 'Zebra ten with a [-dangerous weapon-]{+vintage wooden toy sword+}']);
  assert.deepEqual(changes, [{ from: 'dangerous weapon', to: 'vintage wooden toy sword', rule: 'say-weapon', at: 17 }]);
});

test('the ladder ends with its rungs and with its money', async () => {
  const short = await generate({ model: 'short', prompt: 'zebra eleven with a dangerous weapon' });
  assert.deepEqual([short.status, await timeline(short.headers)], [400, [['rewrite', 'never/gpt-image-2']]]);
  const costly = await generate({ model: 'costly', prompt: 'zebra twelve' });
  assert.deepEqual([costly.status, (await asked('zebra twelve')).charged], [400, 3]);
  assert.equal((await timeline(costly.headers)).length, 2);
});

test('strict takes neither another setting nor other words', async () => {
  const body = { model: 'climb', prompt: 'zebra thirteen with a dangerous weapon', onetake: { strict: true } };
  const { status, headers } = await generate(body);
  assert.deepEqual([status, await timeline(headers)], [200, [['next_target', 'good/gpt-image-2']]]);
  assert.equal(headers.get('x-onetake-rewritten'), null);
});

test('GET /v1/refusals lists them, newest first, page by page', async () => {
  await generate({ model: 'good/500', prompt: 'zebra fourteen fails' });
  await generate({ model: 'short', prompt: 'zebra fifteen with a dangerous weapon' });
  const read = async (query: string) => (await call(`${gateway.url}/v1/refusals?${query}`)).body as unknown as Page;
  const all = await read('limit=100');
  assert.equal(all.next, null);
  assert.ok(all.data.every(({ refusal }) => refusal.categories.includes('violence')));
  const [newest] = all.data;
  assert.equal(newest?.prompt, 'zebra fifteen with a dangerous weapon');
  assert.deepEqual(
    newest.rungs.map(({ rung }) => rung),
    ['rewrite'],
  );
  assert.equal(newest.provider_request_ids.length, 2);
  const first = await read('limit=1');
  const second = await read(`limit=1&after=${first.next}`);
  assert.deepEqual([first.data[0], second.data[0]], all.data.slice(0, 2));
  assert.equal((await call(`${gateway.url}/v1/refusals?limit=101`)).status, 400);
});

interface Page {
  readonly data: readonly {
    readonly prompt: string;
    readonly refusal: { readonly categories: readonly string[] };
    readonly rungs: readonly { readonly rung: string }[];
    readonly provider_request_ids: readonly string[];
  }[];
  readonly next: string | null;
}
