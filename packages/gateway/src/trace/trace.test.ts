import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@onetake/core';
import { bundle } from './bundle.ts';
import { traceText } from './trace.ts';
import { attemptStages } from './waterfall.ts';
import { withoutPrompts } from './without-prompts.ts';

const FAILED = {
  kind: 'server',
  certainty: 'failed',
  message: 'The server said \u001b[31m"a purple heron" is too much\u0007',
  classified_by: 'status 500',
  request_id: 'theirs-1',
};
const HASH = 'ab'.repeat(32);

const VIEW: JsonObject = {
  id: 'gen_1',
  status: 'completed',
  endpoint: '/v1/images/generations',
  route: 'best',
  prompt: 'a purple heron in the rain',
  created_at: 1_000_000,
  finished_at: 1_004_000,
  targets: ['a/one', 'b/two'],
  request_id: 'req_ours',
  price_usd: 0.04,
  price_basis: 'per-image',
  possible_charges: 1,
  possible_usd: null,
  adapted: [
    { field: 'size', action: 'mapped', from: '1x1', to: '2x2', reason: 'the nearest' },
    { field: 'seed', action: 'kept' },
    { field: 'style', action: 'dropped', from: 'vivid' },
  ],
  images: [{ width: 2, height: 2, type: 'png', bytes: 70, hash: HASH, url: `http://g/v1/assets/${HASH}.png` }],
  ledger: [
    { attempt: 1, role: 'first', target: 'a/one', spent_usd: 0, possible_usd: null, priced: 'unknown' },
    { attempt: 2, role: 'fallback', target: 'b/two', spent_usd: 0.04, possible_usd: 0, priced: 'table@2026-11-01' },
  ],
  timeline: [
    { ms: 10, at: 1_000_010, type: 'waiting', target: 'a/one', until: 1_000_510, reason: 'images per minute' },
    { ms: 510, at: 1_000_510, type: 'attempt-started', attempt: 1, target: 'a/one', credential: 'a:KEY_2' },
    {
      ...{
        ms: 1_600,
        at: 1_001_600,
        type: 'attempt-ended',
        attempt: 1,
        ok: false,
        status: 500,
        request_id: 'theirs-1',
      },
      ...{
        failure: FAILED,
        headers: { 'x-region': 'eu' },
        timing: { connect_ms: 40, first_byte_ms: 1_000, body_ms: 10 },
      },
    },
    { ms: 1_700, at: 1_001_700, type: 'attempt-started', attempt: 2, target: 'b/two' },
    { ms: 1_900, at: 1_001_900, type: 'handle-received', attempt: 2, handle: { id: 'job-1' }, stage: 'queued' },
    {
      ms: 3_900,
      at: 1_003_900,
      type: 'attempt-ended',
      attempt: 2,
      ok: true,
      images: [`<png 2x2 70 B sha256:${HASH}>`],
    },
    { ms: 4_000, at: 1_004_000, type: 'finished', ok: true },
    { ms: 4_001, at: 1_004_001, type: 'invented-later' },
  ],
};

test('a trace says what happened, why, by which rule, under which ids, and what it cost', () => {
  const text = traceText(VIEW);
  for (const said of [
    'waits for a/one for 500 ms',
    'images per minute',
    '+510 ms  attempt 1 starts at a/one',
    'with the key or host a:KEY_2',
    'attempt 1 failed: server, tried and failed at the provider, HTTP 500',
    'classified by status 500',
    "provider's request id theirs-1",
    '  x-region: eu',
    'job {"id":"job-1"}',
    'invented later',
    'size: 1x1 became 2x2, because the nearest',
    'style: vivid was left out',
    '2x2   png   70 B',
    'possibly price unknown',
    'priced: table@2026-11-01',
    '$0.04 (per-image), and 1 possible charge, price unknown',
    'req_ours',
    'HTTP 200',
  ])
    assert.ok(text.includes(said), `${said}\nis not in\n${text}`);
  assert.ok(!text.includes('seed: '), text);
  assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
});

test('checking the picture is a stage of its own, at the end of its attempt', () => {
  const stagesWith = (timing: JsonObject) => {
    const ended = { ms: 200, type: 'attempt-ended', attempt: 1, ok: true, images: [], timing };
    const timeline = [{ ms: 100, type: 'attempt-started', attempt: 1, target: 'a/one' }, ended];
    return attemptStages({ timeline })[0]?.stages.map(({ name, fromMs, ms }) => [name, fromMs, ms]);
  };
  assert.deepEqual(stagesWith({ connect_ms: 10, first_byte_ms: 50, body_ms: 5, verify_ms: 20 }), [
    ...[['queue', 0, 100] as const, ['connect', 100, 10] as const, ['first byte', 110, 50] as const],
    ...[['body', 160, 5] as const, ['our part', 165, 15] as const, ['verify', 180, 20] as const],
  ]);
  assert.deepEqual(stagesWith({ connect_ms: 95 })?.at(-1), ['verify', 195, 5]);
  assert.deepEqual(stagesWith({ connect_ms: 95, verify_ms: 40 })?.at(-1), ['verify', 195, 5]);
});

test('the time of an attempt is told by stage: queue, the exchange, and the work at a provider that takes jobs', () => {
  const [first, second] = attemptStages(VIEW).map(({ stages }) =>
    stages.map(({ name, fromMs, ms }) => [name, fromMs, ms]),
  );
  assert.deepEqual(first, [
    ['queue', 0, 510],
    ['connect', 510, 40],
    ['first byte', 550, 1_000],
    ['body', 1_550, 10],
    ['our part', 1_560, 40],
  ]);
  assert.deepEqual(second, [
    ['queue', 1_600, 100],
    ['submit', 1_700, 200],
    ['at work', 1_900, 2_000],
  ]);
});

test('an empty or foreign answer is told without a throw', () => {
  for (const view of [{}, { timeline: 'none', ledger: [1], images: null, prompt: 3 }])
    assert.ok(traceText(view).length > 0);
});

const PARTS = {
  ...{ versions: {}, at: 0, config: null, targets: null, explained: null, notes: [] },
  generation: VIEW,
  failures: [{ message: 'they asked for "somebody else"', count: 2 }],
};

test('a report has no prompt, also not in the words of a provider; with --with-prompt it has', () => {
  const text = JSON.stringify(bundle(PARTS, { withPrompt: false, env: {} }));
  for (const word of ['purple', 'heron', 'rain', 'somebody']) assert.ok(!text.includes(word), `${word} in ${text}`);
  assert.ok(text.includes('"characters":26') && text.includes('classified by status 500'));
  assert.ok(!text.includes(HASH) && text.includes(HASH.slice(0, 12)), 'whoever knows the hash can read the picture');
  const open = JSON.stringify(bundle(PARTS, { withPrompt: true, env: {} }));
  assert.ok(open.includes('a purple heron in the rain') && !open.includes(HASH) && !open.includes('somebody'));
});

test('what looks like a secret in the environment is taken out of a report', () => {
  const env = { OPENAI_API_KEY: 'sk-0123456789', ONETAKE_API_KEYS: 'ann:key-of-ann,bob:key-of-bob', HOME: '/home/ann' };
  const targets = ['sk-0123456789', 'key-of-bob', '/home/ann'];
  const made = bundle({ ...PARTS, targets }, { withPrompt: true, env });
  assert.deepEqual(made.targets, ['[redacted]', '[redacted]', '~']);
  const nested = { A_KEY: 'sk-01234567', B_KEY: 'sk-01234567-and-its-tail' };
  const home = bundle(
    { ...PARTS, config: { data: '/home/ann/onetake-data' } },
    { withPrompt: true, env: { HOME: '/home/ann' } },
  );
  assert.deepEqual(home.config, { data: '~/onetake-data' });
  const { notes } = bundle({ ...PARTS, notes: ['sk-01234567-and-its-tail'] }, { withPrompt: true, env: nested });
  assert.deepEqual(notes, ['[redacted]'], 'a key that begins like another leaves nothing behind');
});

test('of where a provider is a report tells the host: the rest may be what lets in', () => {
  const bases = ['https://gateway.example/v1/of-us-alone/openai', 'sandbox:scripted', ['http://a.example:81/x']];
  const config = { providers: { lab: { kind: 'openai', base_url: bases } } };
  const made = bundle({ ...PARTS, config }, { withPrompt: true, env: {} });
  const told = ['gateway.example', 'sandbox:scripted', ['a.example:81']];
  assert.deepEqual(made.config, { providers: { lab: { kind: 'openai', base_url: told } } });
});

test('why a target is closed is told without the words of whoever asked it', () => {
  const targets = [
    { id: 'a/one', breaker: 'open', reason: 'cannot draw "somebody else"' },
    { id: 'b/two', reason: null },
  ];
  for (const withPrompt of [false, true]) {
    const made = bundle({ ...PARTS, targets }, { withPrompt, env: {} });
    assert.deepEqual(made.targets, [{ ...targets[0], reason: 'cannot draw <value>' }, targets[1]]);
  }
});

test('words of scripts without spaces go too, and a caller’s own fields', () => {
  const told = withoutPrompts({
    prompt: '雨の中の紫の鷺',
    request: { extra: { style_words: 'grim' }, n: 1 },
    failure: { message: 'blocked: 紫の鷺 and grim' },
  });
  assert.deepEqual(told.failure, { message: 'blocked: […] and [4 characters]' });
  assert.ok(!JSON.stringify(told).includes('grim'));
});
