import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Behaviour, createScriptedIo } from '@onetake/core/testing';
import { Webhook } from 'standardwebhooks';
import type { AlertChannel } from '../config/alerts.ts';
import { type Note, noteOf } from './message.ts';
import { createOutlet } from './outlet.ts';
import { over } from './testing/policy.ts';

const START = Date.UTC(2026, 10, 22);
const SECRET = `whsec_${Buffer.alloc(32, 's').toString('base64')}`;
const SLACK: AlertChannel = { name: 'ops', kind: 'slack', url: 'https://hooks.example/services/T0/B0/token' };
const HOOK: AlertChannel = { name: 'hook', kind: 'webhook', url: 'http://10.0.0.7/alerts', secret: SECRET };

function note(change: 'fired' | 'recovered', message = '40 % of 100 requests failed within 5 min'): Note {
  const row = { ...over({ message }), since: START - 90_000, isFiring: change === 'fired' };
  return noteOf({ change, row, at: START }, 'https://onetake.example/#/alerts');
}

function answer(status: number): Behaviour {
  return { kind: 'answer', afterMs: 10, status, body: 'ok' };
}

function outlet(channels: readonly AlertChannel[], play: Parameters<typeof createScriptedIo>[0]) {
  const io = createScriptedIo(play, START);
  const logged: object[] = [];
  const log = { warn: (...said: unknown[]) => void logged.push(said) };
  const open = createOutlet({ channels, io, log });
  const bodies = () => io.sent.map(({ request: { body } }) => (body?.kind === 'json' ? body.value : undefined));
  const idle = () => io.drive(new Promise<void>((resolve) => io.timer(io.now() + 3_600_000, resolve)));
  return { io, open, logged, bodies, idle };
}

suite('what is sent', () => {
  test('Slack gets text in its markup, with value, threshold, since when, what to do and where to look', async () => {
    const { open, bodies, idle } = outlet([SLACK], () => answer(200));
    open.tell(note('fired', 'a <b> & *c* failed'));
    await idle();
    assert.deepEqual(bodies(), [
      {
        text: [
          '*Alert (warning): a &lt;b&gt; &amp; c failed*',
          'failure_rate is 40 %, the threshold is 20 %; since 2026-11-21T23:58:30.000Z (90 s)',
          'What to do: Look at `onetake failures --since 1h`: it groups what went wrong and says what helps.',
          'https://onetake.example/#/alerts',
        ].join('\n'),
      },
    ]);
  });

  test('Discord mentions nobody, whatever a message says', async () => {
    const { open, bodies, idle } = outlet([{ ...SLACK, kind: 'discord' }], () => answer(204));
    open.tell(note('recovered', '@everyone'));
    await idle();
    assert.deepEqual(bodies(), [
      {
        content:
          '**Recovered: failure_rate is well again after 90 s**\nIt last said: @everyone\nhttps://onetake.example/#/alerts',
        allowed_mentions: { parse: [] },
      },
    ]);
  });

  test('a webhook is signed as Standard Webhooks says', async () => {
    const { io, open, bodies, idle } = outlet([HOOK], () => answer(200));
    open.tell(note('fired'));
    await idle();
    const [body] = bodies();
    const headers = io.sent[0]?.request.headers ?? {};
    const signedAt = Number(headers['webhook-timestamp']) * 1_000;
    assert.equal(signedAt, START);
    const signature = new Webhook(SECRET).sign(headers['webhook-id'] ?? '', new Date(signedAt), JSON.stringify(body));
    assert.equal(headers['webhook-signature'], signature);
    assert.match(JSON.stringify(body), /^\{"type":"alert.fired","timestamp":"2026-11-22T00:00:00.000Z","data":\{/);
  });
});

suite('a channel that does not take it', () => {
  test('is tried again, with waits, and then given up', async () => {
    const { io, open, logged, idle } = outlet([SLACK], () => ({ kind: 'refuse', afterMs: 0 }));
    open.tell(note('fired'));
    await idle();
    assert.deepEqual(
      io.sent.map(({ at }) => at - START),
      [0, 2_000, 12_000, 72_000, 372_000],
    );
    assert.equal(logged.length, 5);
    assert.doesNotMatch(JSON.stringify(logged), /token|hooks\.example/);
  });

  test('keeps its order: no recovery arrives before its alert', async () => {
    const { open, bodies, idle } = outlet([SLACK], (_request, index) => answer(index < 2 ? 503 : 200));
    open.tell(note('fired'));
    open.tell(note('recovered'));
    await idle();
    const heads = bodies().map((body) => /\*(\w+)/.exec(JSON.stringify(body))?.[1]);
    assert.deepEqual(heads, ['Alert', 'Alert', 'Alert', 'Recovered']);
  });

  test('is not tried again where its address is wrong, and does not hold up the others', async () => {
    const { io, open, idle } = outlet([SLACK, HOOK], ({ url }) => answer(url === SLACK.url ? 404 : 200));
    open.tell(note('fired'));
    await idle();
    assert.deepEqual(
      io.sent.map(({ request, at }) => [request.url, at - START]),
      [
        [SLACK.url, 0],
        [HOOK.url, 0],
      ],
    );
  });

  test('gets what is waiting once more when the gateway ends, and no longer', async () => {
    const { io, open } = outlet([SLACK], () => answer(503));
    for (let each = 0; each < 50; each += 1) open.tell(note('fired'));
    await io.drive(new Promise<void>((resolve) => io.timer(START + 100, resolve)));
    await io.drive(open.stop());
    assert.equal(io.sent.length, 5);
    assert.ok(io.now() - START < 1_000);
  });

  test('that hangs does not keep the gateway from ending', async () => {
    const { io, open, logged } = outlet([SLACK], () => ({ kind: 'hang' }));
    for (let each = 0; each < 50; each += 1) open.tell(note('fired'));
    await io.drive(new Promise<void>((resolve) => io.timer(START + 100, resolve)));
    await io.drive(open.stop());
    assert.ok(io.now() - START <= 6_000, `${io.now() - START} ms`);
    assert.match(JSON.stringify(logged.at(-1)), /does not answer/);
  });
});
