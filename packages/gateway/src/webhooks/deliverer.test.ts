import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Behaviour, Sent } from '@onetake/core/testing';
import { DISABLED_REASON } from '../store/outbox.ts';
import { answer, SECRET, START, scene, URL_OF_HOOK } from './testing/scene.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Between two looks into the store, and the try before. */
const LATE_MS = 5_010;

function idOf({ request }: Sent): string | undefined {
  return request.headers['webhook-id'];
}

suite('what is sent', () => {
  test('one POST with the event, the task as it is now and the headers of Standard Webhooks', async () => {
    const { io, put, settled } = scene({ play: () => answer(204) });
    await put('evt_1', { at: START - 2_000 });
    const [row] = await settled();
    assert.deepEqual([row?.state, row?.status, row?.tries, row?.settledAt], ['delivered', 204, 1, START + 10]);
    assert.equal(io.sent.length, 1);
    const { method, url, headers, body } = io.sent[0]?.request ?? assert.fail('nothing was sent');
    assert.deepEqual([method, url], ['POST', URL_OF_HOOK]);
    assert.deepEqual(body, {
      kind: 'json',
      value: {
        type: 'task.completed',
        timestamp: '2026-11-21T07:29:58.000Z',
        data: { id: 'gen_1', status: 'completed' },
      },
    });
    assert.equal(headers['webhook-id'], 'evt_1');
    assert.equal(headers['webhook-timestamp'], String(START / 1000));
    assert.match(headers['webhook-signature'] ?? '', /^v1,[A-Za-z0-9+/]{43}=$/);
  });

  test('an event that comes while it runs is sent at once', async () => {
    const { io, outbox, put, start } = scene({ play: () => answer(200) });
    const deliverer = start();
    await put('evt_1');
    await io.drive(outbox.until(([row]) => row?.state === 'delivered'));
    assert.equal(io.sent[0]?.at, START);
    await io.drive(deliverer.stop());
  });

  test('a wake-up that was missed costs five seconds', async () => {
    const { io, outbox, put, start } = scene({ play: () => answer(200) });
    const deliverer = start();
    await put('evt_1', { at: START + 1 });
    await io.drive(outbox.until(([row]) => row?.state === 'delivered'));
    assert.equal(io.sent[0]?.at, START + 5_000);
    await io.drive(deliverer.stop());
  });

  test('a generation that is no longer kept is given up without a request', async () => {
    const { io, put, settled } = scene({ play: () => answer(200), payload: async () => undefined });
    await put('evt_1');
    const [row] = await settled();
    assert.deepEqual([row?.state, row?.reason], ['given-up', 'the generation is no longer kept']);
    assert.equal(io.sent.length, 0);
  });

  test('a task that cannot be read for a moment is sent later', async () => {
    let reads = 0;
    const payload = async () => {
      reads += 1;
      if (reads === 1) throw new Error('disk on fire');
      return {};
    };
    const { io, put, settled, logged } = scene({ play: () => answer(200), payload });
    await put('evt_1');
    const [row] = await settled();
    assert.deepEqual([row?.state, row?.tries, io.sent.length, logged.length], ['delivered', 2, 1, 1]);
  });
});

suite('a try that fails', () => {
  const failures: readonly (readonly [string, Behaviour, string])[] = [
    ['a status', answer(500), 'status 500'],
    ['a redirect', answer(302, { location: 'https://elsewhere.example' }), 'status 302: redirects are not followed'],
    ['a refused connection', { kind: 'refuse', afterMs: 1 }, 'could not be reached (ECONNREFUSED)'],
    ['a connection that dies', { kind: 'reset', afterMs: 1 }, 'broke off (ECONNRESET)'],
    ['silence', { kind: 'hang' }, 'no answer within 15000 ms'],
    ['no connection', { kind: 'unreachable' }, 'no answer within 15000 ms'],
    [
      'a bad certificate',
      { kind: 'refuse', afterMs: 1, code: 'CERT_HAS_EXPIRED', certificate: true },
      'the certificate was refused (CERT_HAS_EXPIRED)',
    ],
  ];
  for (const [what, behaviour, reason] of failures) {
    test(`${what} is tried again: ${reason}`, async () => {
      const { io, outbox, put, start } = scene({ play: (_request, index) => (index === 0 ? behaviour : answer(200)) });
      await put('evt_1');
      const deliverer = start();
      const [row] = await io.drive(outbox.until((rows) => rows.every(({ tries }) => tries === 1)));
      assert.deepEqual([row?.state, row?.reason], ['waiting', reason]);
      const [after] = await io.drive(outbox.until((rows) => rows.every(({ state }) => state === 'delivered')));
      assert.equal(after?.tries, 2);
      assert.deepEqual(io.sent.map(idOf), ['evt_1', 'evt_1']);
      await io.drive(deliverer.stop());
    });
  }

  test('an accepting status counts whatever becomes of the body', async () => {
    const body = 'x'.repeat(200_000);
    const cut: Behaviour = { kind: 'answer', afterMs: 1, status: 200, body, cut: { atByte: 10, by: 'reset' } };
    const silent: Behaviour = { kind: 'answer', afterMs: 1, status: 200, body, cut: { atByte: 10, by: 'silence' } };
    const long: Behaviour = { kind: 'answer', afterMs: 1, status: 200, body };
    for (const behaviour of [cut, silent, long]) {
      const { put, settled } = scene({ play: () => behaviour });
      await put('evt_1');
      const [row] = await settled();
      assert.deepEqual([row?.state, row?.tries], ['delivered', 1]);
    }
  });

  test('a private address is refused once and for good', async () => {
    const { io, put, settled } = scene({ play: () => ({ kind: 'refuse', afterMs: 1, code: 'ADDRESS_DENIED' }) });
    await put('evt_1');
    const [row] = await settled();
    assert.deepEqual([row?.state, row?.reason], ['given-up', 'the host is not on the public internet']);
    assert.equal(io.sent.length, 1);
  });

  test('no reason and no log holds the address or the secret', async () => {
    const { put, settled, logged } = scene({ play: () => answer(404), schedule: { giveUpAfterMs: 1, minTries: 1 } });
    await put('evt_1', { url: 'https://app.example/hooks/token-in-the-path?key=abc' });
    const told = JSON.stringify([(await settled()).map(({ reason }) => reason), logged]);
    assert.match(told, /status 404/);
    assert.doesNotMatch(told, /token|abc|app\.example/);
    assert.ok(!told.includes(SECRET.slice(6)));
  });
});

suite('for how long', () => {
  test('the waits double from five seconds to an hour, for 24 hours, and the last try is at the end', async () => {
    const { io, put, settled } = scene({ play: () => answer(503), random: () => 0.999999 });
    await put('evt_1');
    const [row] = await settled();
    assert.deepEqual([row?.state, row?.reason], ['given-up', 'status 503']);
    const times = io.sent.map(({ at }) => at);
    const expected = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600];
    for (const [index, seconds] of expected.entries()) {
      const waited = (times[index + 1] ?? 0) - (times[index] ?? 0) - seconds * 1_000;
      assert.ok(waited >= -10 && waited <= LATE_MS, `try ${index + 2} came ${waited} ms after its time`);
    }
    const last = (times.at(-1) ?? 0) - START - 24 * HOUR;
    assert.ok(last >= 0 && last <= LATE_MS, `the last try came ${last} ms after the end`);
    assert.ok(times.length < 40, `${times.length} tries`);
    assert.equal(row?.tries, times.length);
    assert.equal(new Set(io.sent.map(({ request }) => request.headers['webhook-timestamp'])).size, times.length);
  });

  test('Retry-After is honoured, in seconds and as a date', async () => {
    const headers = [
      { 'retry-after': '120' },
      { 'retry-after': new Date(START + 10 * MINUTE).toUTCString() },
      { 'retry-after': '86400' },
    ];
    const { io, put, settled } = scene({ play: (_request, index) => answer(429, headers[index]) });
    await put('evt_1');
    const [row] = await settled();
    const late = io.sent.map(({ at }, index) => at - START - ([0, 120_010, 10 * MINUTE][index] ?? 0));
    assert.ok(late.length === 3 && late.every((ms) => ms >= 0 && ms <= LATE_MS), `late by ${late}`);
    assert.deepEqual([row?.state, row?.reason], ['given-up', 'status 429'], 'nobody waits beyond the 24 hours');
  });

  test('an event that is old when it is redelivered gets five tries', async () => {
    const { io, outbox, put, settled } = scene({ play: () => answer(500) });
    await put('evt_1', { at: START - 72 * HOUR });
    await outbox.redeliver({ id: 'evt_1', limit: 1 }, START);
    const [row] = await settled();
    assert.deepEqual([row?.state, io.sent.length], ['given-up', 5]);
  });

  test('progress that a newer event overtook is not tried again', async () => {
    const { io, outbox, put, start } = scene({ play: () => answer(500) });
    await put('evt_1', { type: 'task.progress' });
    await put('evt_2', { type: 'task.progress', generation: 'gen_2' });
    await put('evt_3', { type: 'task.completed', generation: 'gen_2', at: START + 1 });
    const deliverer = start();
    await io.drive(
      outbox.until((rows) => rows.every(({ tries }) => tries >= 2 || rows.length === 0) || io.sent.length > 5),
    );
    assert.deepEqual(
      [outbox.row('evt_2')?.state, outbox.row('evt_2')?.reason],
      ['given-up', 'superseded by a newer event'],
    );
    assert.equal(outbox.row('evt_1')?.state, 'waiting');
    assert.equal(io.sent.filter((sent) => idOf(sent) === 'evt_2').length, 1);
    await put('evt_4', { type: 'task.completed', at: io.now() });
    await io.drive(outbox.until(() => outbox.row('evt_1')?.state === 'given-up'));
    await io.drive(deliverer.stop());
  });
});

suite('an address that wants no more', () => {
  test('410 gives up what waits and what comes, until it is redelivered', async () => {
    let gone = true;
    const { io, outbox, put, settled } = scene({ play: () => answer(gone ? 410 : 200), limits: { maxInFlight: 1 } });
    await put('evt_1');
    await put('evt_2');
    await settled();
    await put('evt_3');
    const reasons = ['evt_1', 'evt_2', 'evt_3'].map((id) => outbox.row(id)?.reason);
    const told = 'status 410: the receiver wants no more, so the address is disabled';
    assert.deepEqual(reasons, [told, DISABLED_REASON, DISABLED_REASON]);
    assert.equal(io.sent.length, 1);
    gone = false;
    assert.equal(await outbox.redeliver({ state: 'given-up', limit: 10 }, io.now()), 3);
    const rows = await settled();
    assert.deepEqual(
      rows.map(({ state }) => state),
      ['delivered', 'delivered', 'delivered'],
    );
  });
});
