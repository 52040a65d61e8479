import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@onetake/core';
import { readControls } from './controls.ts';
import { RequestProblem } from './problem.ts';

const SERVER = { fromBrowser: false };

function refusal(headers: Record<string, string>, body?: JsonValue, options = SERVER): RequestProblem {
  try {
    readControls(headers, body, options);
  } catch (error) {
    assert.ok(error instanceof RequestProblem, String(error));
    return error;
  }
  assert.fail(`accepted ${JSON.stringify({ headers, body })}`);
}

test('nothing said leaves the defaults', () => {
  assert.deepEqual(readControls({ prefer: 'respond-async, wait=10' }, undefined, SERVER), {
    settings: {},
    attach: true,
    onDisconnect: 'keep',
    priority: 'interactive',
    webhook: {},
    retriedByClient: false,
  });
});

test('that our own page calls is no control', () => {
  const headers = { 'x-onetake-page': '1' };
  assert.deepEqual(readControls(headers, undefined, SERVER), readControls({}, undefined, SERVER));
});

test('headers and body say the same things, and the header wins', () => {
  const expected = {
    settings: {
      totalTimeoutMs: 30_000,
      maxPaidAttempts: 3,
      payment: 'available',
      fallback: false,
      strict: true,
      aliases: false,
    },
    attach: false,
    onDisconnect: 'cancel',
    cache: 'off',
    priority: 'batch',
    webhook: {},
    retriedByClient: false,
  };
  const headers = {
    'x-onetake-timeout-ms': '30000',
    'x-onetake-max-paid-attempts': '3',
    'x-onetake-payment': 'available',
    'x-onetake-fallback': 'off',
    'x-onetake-strict': 'on',
    'x-onetake-aliases': 'off',
    'x-onetake-attach': 'off',
    'x-onetake-on-disconnect': 'cancel',
    'x-onetake-cache': 'off',
    'x-onetake-priority': 'batch',
  };
  const body = {
    timeout_ms: 30_000,
    max_paid_attempts: 3,
    payment: 'available',
    fallback: false,
    strict: true,
    aliases: 'off',
    attach: 'off',
    on_disconnect: 'cancel',
    cache: 'off',
    priority: 'batch',
  };
  assert.deepEqual(readControls(headers, undefined, SERVER), expected);
  assert.deepEqual(readControls({}, body, SERVER), expected);
  assert.deepEqual(readControls({ 'x-onetake-payment': 'strict' }, { payment: 'available' }, SERVER).settings, {
    payment: 'strict',
  });
});

test('where events go is passed on as it was said, with the name of who said it', () => {
  const headers = { 'x-onetake-webhook-url': ' https://hooks.example/a ' };
  const body = { webhook_url: 'off', webhook_events: ['task.completed'] };
  assert.deepEqual(readControls(headers, body, SERVER).webhook, {
    url: { value: 'https://hooks.example/a', param: 'x-onetake-webhook-url' },
    events: { value: ['task.completed'], param: 'onetake.webhook_events' },
  });
  assert.deepEqual(readControls({}, body, SERVER).webhook.url, { value: 'off', param: 'onetake.webhook_url' });
});

test('a bad value is refused with its name, the value and the rule', () => {
  const bad: [string, string, RegExp][] = [
    ['timeout-ms', '0', /from 1 to 86400000/],
    ['timeout-ms', '86400001', /from 1 to 86400000/],
    ['timeout-ms', '1e3', /whole number/],
    ['timeout-ms', '5, 6', /whole number/],
    ['max-paid-attempts', '11', /from 1 to 10/],
    ['payment', 'Strict', /strict, standard or available/],
    ['fallback', 'no', /on or off/],
    ['attach', '', /on or off/],
    ['on-disconnect', 'stop', /keep or cancel/],
    ['cache', 'yes', /on or off/],
    ['priority', 'urgent', /interactive or batch/],
  ];
  for (const [name, value, rule] of bad) {
    const problem = refusal({ [`x-onetake-${name}`]: value });
    assert.deepEqual([problem.status, problem.code, problem.param], [400, 'invalid_value', `x-onetake-${name}`]);
    assert.ok(problem.message.includes(`"${value}"`));
    assert.match(problem.message, rule);
  }
  assert.equal(refusal({}, { timeout_ms: 1.5 }).param, 'onetake.timeout_ms');
  assert.equal(refusal({}, { timeout_ms: { a: 1 } }).param, 'onetake.timeout_ms');
  assert.equal(refusal({}, [1]).param, 'onetake');
});

test('a control nobody knows is refused with its neighbour: a typo in it could cost money', () => {
  assert.match(refusal({ 'x-onetake-paymnt': 'strict' }).message, /did you mean x-onetake-payment/);
  assert.match(refusal({}, { time_out_ms: 1 }).message, /did you mean onetake\.timeout_ms/);
  assert.match(refusal({}, { 'timeout-ms': 1 }).message, /did you mean onetake\.timeout_ms/);
  assert.match(refusal({ 'x-onetake-zzzzzzzzzzzz': '1' }).message, /there are x-onetake-timeout-ms/);
  assert.equal(refusal({}, { constructor: 1 }).code, 'unknown_parameter');
});

test('a page of another origin may ask for less and never for more', () => {
  const browser = { fromBrowser: true };
  const less = { 'x-onetake-payment': 'strict', 'x-onetake-max-paid-attempts': '1', 'x-onetake-timeout-ms': '5000' };
  assert.equal(readControls(less, undefined, browser).settings.payment, 'strict');
  assert.equal(readControls({}, { priority: 'batch' }, browser).priority, 'batch');
  assert.equal(readControls({}, { suspect: 'fail' }, browser).settings.suspect, 'fail');
  assert.equal(readControls({}, { cache: false }, browser).cache, 'off');
  for (const [name, value] of [
    ['payment', 'available'],
    ['payment', 'standard'],
    ['max-paid-attempts', '2'],
    ['suspect', 'retry_new_seed'],
    ['attach', 'off'],
    ['attach', 'on'],
    ['cache', 'on'],
    ['webhook-url', 'https://hooks.example/'],
    ['webhook-events', 'task.completed'],
  ]) {
    const problem = refusal({ [`x-onetake-${name}`]: String(value) }, undefined, browser);
    assert.deepEqual([problem.status, problem.code], [403, 'forbidden_control']);
  }
  assert.equal(refusal({}, { attach: false }, browser).param, 'onetake.attach');
});

test('Idempotency-Key is bare or a quoted string, 1 to 255 printable ASCII characters', () => {
  const keyOf = (key: string) => readControls({ 'idempotency-key': key }, undefined, SERVER).idempotencyKey;
  assert.equal(keyOf('8e03978e'), '8e03978e');
  assert.equal(keyOf('"8e03978e"'), '8e03978e');
  assert.equal(keyOf('"a\\"b\\\\c"'), 'a"b\\c');
  assert.equal(keyOf('x'.repeat(255))?.length, 255);
  for (const key of ['', '""', 'x'.repeat(256), 'schlüssel', 'a\tb']) {
    assert.equal(refusal({ 'idempotency-key': key }).param, 'Idempotency-Key');
  }
});

test('an SDK’s count of its own retries is noticed', () => {
  const retried = (count: string) =>
    readControls({ 'x-stainless-retry-count': count }, undefined, SERVER).retriedByClient;
  assert.deepEqual(['0', '1', '2', 'nonsense'].map(retried), [false, true, true, false]);
});
