import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonValue } from '@onetake/core';
import { RequestProblem } from '../http/problem.ts';
import { readWebhook, type WebhookRules } from './request.ts';

const FINAL = ['task.completed', 'task.failed', 'task.canceled'];
const CONFIGURED = { url: 'https://configured.example/', events: ['task.failed'] };

interface Asked {
  readonly url?: JsonValue;
  readonly events?: JsonValue;
}

function read({ url, events }: Asked, rules: Partial<WebhookRules> = {}) {
  return readWebhook(
    {
      ...(url !== undefined && { url: { value: url, param: 'onetake.webhook_url' } }),
      ...(events !== undefined && { events: { value: events, param: 'onetake.webhook_events' } }),
    },
    { allowPrivate: false, ...rules },
  );
}

function refusal(asked: Asked): string {
  try {
    read(asked);
  } catch (error) {
    assert.ok(error instanceof RequestProblem);
    assert.equal(error.status, 400);
    assert.ok(error.param !== undefined && error.message.startsWith(`${error.param}: `));
    return error.message;
  }
  return assert.fail(`${JSON.stringify(asked)} was taken`);
}

suite('where the events of a task go', () => {
  test('nowhere, as configured, or as the request says', () => {
    const url = 'https://app.example/hooks';
    assert.equal(read({}), undefined);
    assert.deepEqual(read({ url }), { url, events: FINAL });
    assert.deepEqual(read({}, { configured: CONFIGURED }), CONFIGURED);
    assert.deepEqual(read({}, { configured: { url } }), { url, events: FINAL });
    assert.deepEqual(read({ url }, { configured: CONFIGURED }), { url, events: ['task.failed'] });
    assert.deepEqual(read({ events: ['task.progress'] }, { configured: CONFIGURED }), {
      url: CONFIGURED.url,
      events: ['task.progress'],
    });
    assert.equal(read({ url: 'off' }, { configured: CONFIGURED }), undefined);
  });

  test('events are a list or a text with commas, each once, in their own order', () => {
    const events = ['task.processing', 'task.completed'];
    const url = 'https://app.example/';
    assert.deepEqual(read({ url, events: ['task.completed', 'task.processing', 'task.completed'] })?.events, events);
    assert.deepEqual(read({ url, events: 'task.completed , task.processing' })?.events, events);
  });

  test('an address is kept as it is sent to', () => {
    assert.equal(read({ url: 'HTTPS://App.Example:443/a b?c=d#e' })?.url, 'https://app.example/a%20b?c=d');
  });

  test('private addresses are taken where they are allowed', () => {
    for (const url of ['http://127.0.0.1:9/', 'http://localhost/', 'http://[::1]/', 'http://10.0.0.1/']) {
      assert.equal(read({ url }, { allowPrivate: true })?.url, url);
    }
  });
});

suite('what is refused', () => {
  const PRIVATE = /is not a URL on the public internet; give a public host, or have webhooks\.allow_private/;
  const cases: readonly (readonly [Asked, RegExp])[] = [
    [
      { url: 'app.example/hooks' },
      /"app\.example\/hooks" is not an absolute http or https URL; give one such as https:/,
    ],
    [{ url: 'ftp://app.example' }, /is not an absolute http or https URL/],
    [{ url: 'javascript:alert(1)' }, /is not an absolute http or https URL/],
    [{ url: '' }, /"" is not an absolute http or https URL/],
    [{ url: null }, /null is not a URL as a text/],
    [{ url: ['https://app.example'] }, /a list is not a URL as a text/],
    [{ url: 7 }, /number is not a URL as a text/],
    [
      { url: `https://app.example/${'x'.repeat(2_048)}` },
      /a text of 2068 characters is not a URL of at most 2048 char/,
    ],
    [{ url: `https://app.example/${'ü'.repeat(1_000)}` }, /is not a URL of at most 2048 characters/],
    [{ events: ['task.failed'] }, /there is no webhook to send them to; add a webhook_url/],
    [{ url: 'https://a.example', events: [] }, /a list is not one or more of task\.processing/],
    [{ url: 'https://a.example', events: 'task.complete' }, /"task\.complete" is not .*did you mean task\.completed\?/],
    [{ url: 'https://a.example', events: [3] }, /number is not one or more of/],
    [{ url: 'https://a.example', events: { a: 1 } }, /object is not one or more of/],
    [{ url: 'http://localhost:3000/' }, PRIVATE],
    [{ url: 'http://app.localhost./' }, PRIVATE],
    [{ url: 'http://127.0.0.1/' }, PRIVATE],
    [{ url: 'http://2130706433/' }, PRIVATE],
    [{ url: 'http://0x7f.1/' }, PRIVATE],
    [{ url: 'http://192.168.1.4/' }, PRIVATE],
    [{ url: 'http://169.254.169.254/latest/meta-data' }, PRIVATE],
    [{ url: 'http://[::1]/' }, PRIVATE],
    [{ url: 'http://[::ffff:10.0.0.1]/' }, PRIVATE],
    [{ url: 'http://[fd00::1]/' }, PRIVATE],
  ];
  for (const [asked, why] of cases) {
    test(JSON.stringify(asked).slice(0, 80), () => assert.match(refusal(asked), why));
  }

  test('a password is refused and not shown', () => {
    const message = refusal({ url: 'https://me:hidden@app.example/' });
    assert.match(message, /is not a URL without a user name or password; leave them out/);
    assert.doesNotMatch(message, /hidden/);
  });
});
