import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createLog, openLog } from '../log.ts';
import { createSignals } from '../signals/signals.ts';
import { finishedLive } from '../signals/testing/lives.ts';
import { logGenerations } from './generations.ts';

function written(level = 'trace') {
  const lines: string[] = [];
  const log = createLog(level, { write: (line) => void lines.push(line) });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line)) };
}

const CANARY = 'sk-canary-0123456789abcdefghij';
const PLAIN = 'kanarienvogel-geheim';

suite('what a log must not hold', () => {
  /** An error as HTTP clients throw it: the request with its headers hangs on it, and on its cause. */
  function leaky(): Error {
    const cause = Object.assign(new Error(`GET https://user:${PLAIN}@api.example/v1?key=${PLAIN}&a=1 failed`), {
      config: { headers: { authorization: `Bearer ${PLAIN}` } },
      body: `{"prompt":"${PLAIN}"}`,
    });
    return Object.assign(new Error(`sent with Authorization: Bearer ${CANARY}`, { cause }), {
      headers: { authorization: `Bearer ${PLAIN}`, 'x-api-key': PLAIN },
      request: { headers: { cookie: PLAIN } },
      response: { data: PLAIN },
      code: 'ECONNRESET',
    });
  }

  test('an error says what it is and where it comes from, and nothing that hangs on it', () => {
    const { log, lines, entries } = written();
    log.error({ err: leaky() }, 'a call failed');
    assert.ok(!lines.join('').includes(CANARY) && !lines.join('').includes(PLAIN), lines.join(''));
    const [{ err }] = entries();
    assert.deepEqual([err.type, err.code, err.cause.type], ['Error', 'ECONNRESET', 'Error']);
    assert.match(err.stack, /log\.test\.ts/);
    assert.match(err.cause.message, /^GET https:\/\/\[redacted\]@api\.example\/v1\?… failed$/);
  });

  test('an error that is logged by itself is no way around it', () => {
    const { log, lines } = written();
    log.error(leaky());
    assert.ok(!lines.join('').includes(CANARY) && !lines.join('').includes(PLAIN));
  });

  test('what is put into a message is no way around it', () => {
    const { log, lines } = written();
    log.warn('asked %s', `https://api.example/?key=${PLAIN}`);
    assert.match(lines.join(''), /asked https:\/\/api\.example\/\?…/);
  });

  for (const [where, fields] of Object.entries({
    'a field that is called after one': {
      apiKey: PLAIN,
      'proxy-authorization': PLAIN,
      adminKey: PLAIN,
      api_key: PLAIN,
    },
    'fields far inside': { request: { headers: { authorization: PLAIN, cookie: PLAIN, 'x-key': PLAIN } } },
    'a key inside of something': { provider: { id: 'openai', key: PLAIN, secret: PLAIN } },
    'a list': { tried: [{ token: PLAIN }, `https://api.example/?sig=${PLAIN}`] },
    'an address as such': { at: new URL(`https://api.example/a?token=${PLAIN}`) },
    'the text of a header': { said: `authorization: ${PLAIN}` },
    'the text of JSON': { said: `{"api_key":"${PLAIN}"}` },
    'a database’s address': { said: `postgres://onetake:${PLAIN}@db/onetake` },
    'an address whose password has an at sign': { said: `redis://u:p@${PLAIN}@db and rediss://u:${PLAIN}/x@db` },
    'the query of a path': { said: `GET /v1beta/models?key=${PLAIN} and /blob?X-Amz-Signature=${PLAIN}&a=1` },
    'the address of a channel': { said: `https://hooks.slack.com/services/T0/B0/${PLAIN}` },
    'a cookie in a text': { said: `set-cookie: onetake_session=1.admin.${PLAIN}; HttpOnly` },
    'JSON inside of JSON': { said: `{\\"api_key\\":\\"${PLAIN}\\"}` },
    'a token of a cloud': { said: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${PLAIN} and ya29.a0-${PLAIN}` },
    'a private key': { said: `-----BEGIN PRIVATE KEY-----\nMIIE${PLAIN}\n-----END PRIVATE KEY-----` },
    bytes: { body: Buffer.from(PLAIN) },
    'what begins as keys do': { said: `the key ${CANARY} is wrong` },
  })) {
    test(`a secret in ${where} is cut`, () => {
      const { log, lines } = written();
      log.warn(fields, 'noted');
      assert.ok(!lines.join('').includes(PLAIN) && !lines.join('').includes(CANARY), lines.join(''));
    });
  }
});

suite('what a log may hold', () => {
  test('the name of a caller, counts of tokens and plain words stay', () => {
    const { log, entries } = written();
    log.info({ key: 'shop', tokens: 12, status: 200, url: 'https://api.example/v1/images' }, 'request');
    const [{ key, tokens, url, msg }] = entries();
    assert.deepEqual([key, tokens, url, msg], ['shop', 12, 'https://api.example/v1/images', 'request']);
  });

  test('no text takes long to clean', () => {
    const { log } = written();
    const startedAt = performance.now();
    for (const piece of [
      'a-',
      'a/',
      'token',
      'http://',
      'a://',
      'sk-',
      'Bearer ',
      '"key": ',
      'x',
      'eyJ',
      'key=',
      'redis://',
      'cookie:',
    ])
      log.warn({ said: piece.repeat(8_000 / piece.length) });
    assert.ok(performance.now() - startedAt < 500);
  });

  test('a picture in a text is no more than noted', () => {
    const { log, lines } = written();
    log.error({ err: new Error(`not read: ${'iVBORw0KGgo'.repeat(40)}`) });
    assert.ok(lines.join('').includes('[base64]') && lines.join('').length < 3_000);
  });

  test('what refers to itself, and what is endless, ends', () => {
    const { log, lines } = written();
    const round: Record<string, unknown> = { text: 'x'.repeat(100_000) };
    round.self = round;
    log.warn({ round, many: Array(10_000).fill('y') });
    assert.ok(lines.join('').length < 100_000);
  });
});

suite('lines for people', () => {
  function pretty(fields: object, message: string): string {
    const lines: string[] = [];
    openLog({ level: 'info' }, { write: (line) => void lines.push(line), isTTY: true }).info(fields, message);
    return lines.join('');
  }

  test('are one line: time, level, what happened, and what is known of it', () => {
    const line = pretty({ key: 'shop', route: '/v1/images/generations', status: 200, said: 'two words' }, 'request');
    assert.match(
      line,
      /^\d\d:\d\d:\d\d\.\d{3} info {2}request key=shop route=\/v1\/images\/generations status=200 said="two words"\n$/,
    );
  });

  test('what a terminal would obey is no text', () => {
    const line = pretty({ said: '\u001b[2J\u0007' }, 'a\u001b[31m\nb');
    assert.ok(!line.includes('\u001b') && line.split('\n').length === 2, JSON.stringify(line));
  });

  test('nor is what breaks or turns a line without being a control', () => {
    const line = pretty({ said: 'a\u202e2 error forged', '\u0085': 1 }, 'a\u2028b\u2029c\u2066d');
    assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  });

  test('an error shows its stack and its cause', () => {
    const text = pretty({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    assert.match(text, /failed\n {2}Error: outer\n {2}at [\s\S]+ {4}Error: inner\n/);
  });

  test('elsewhere than in a terminal, or where JSON is asked for, it is JSON', () => {
    for (const [format, isTTY] of [
      [undefined, false],
      ['json', true],
    ] as const) {
      const lines: string[] = [];
      openLog({ level: 'warn', ...(format && { format }) }, { write: (line) => void lines.push(line), isTTY }).warn(
        'x',
      );
      assert.equal(JSON.parse(lines.join('')).msg, 'x');
    }
  });
});

suite('a generation that ended', () => {
  test('is one line with what it came to, and without its prompt', () => {
    const { log, lines, entries } = written('info');
    const signals = createSignals(log);
    logGenerations(signals, log);
    const { live, finish } = finishedLive();
    signals.watch(live);
    finish();
    assert.equal(lines.length, 1);
    const [{ level, time, pid, hostname, ...entry }] = entries();
    const { generation, request_id: requestId, key, status, target, attempts, ms, msg } = entry;
    assert.deepEqual(
      [generation, requestId, key, status, target, attempts, ms, msg],
      [live.id, live.requestId, 'app', 'completed', 'sandbox/fast', 1, 110, 'generation ended'],
    );
    assert.ok(!lines.join('').includes('a red fox'));
  });

  test('costs nothing where nobody reads it', () => {
    const { log, lines } = written('warn');
    logGenerations({ on: () => assert.fail('it listens') }, log);
    assert.deepEqual(lines, []);
  });
});
