import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FailureWords, TimelineEvent, Timing } from '../../api/generations.ts';
import { lanesOf, ticksOf } from './lanes.ts';

const CREATED = 1_000_000;
const TARGET = 'sandbox/500,ok';

function event(ms: number, type: string, rest: Partial<TimelineEvent> = {}): TimelineEvent {
  return { type, ms, at: CREATED + ms, ...rest };
}

const FAILED: FailureWords = {
  ...{ kind: 'server', certainty: 'failed', message: 'it tried and failed', billed: 'maybe', advice: 'ask later' },
  answer: { status: 424, type: 'server_error', code: 'generation_failed' },
};

const REPEATED = [
  event(5, 'attempt-started', { attempt: 1, target: TARGET }),
  event(40, 'attempt-ended', {
    ...{ attempt: 1, ok: false, failure: FAILED },
    timing: { connect_ms: 15, first_byte_ms: 6, body_ms: 1 },
  }),
  event(44, 'waiting', { target: TARGET, until: CREATED + 1_900, reason: 'it tried and failed' }),
  event(1_925, 'attempt-started', { attempt: 2, target: TARGET }),
  event(1_962, 'attempt-ended', {
    ...{ attempt: 2, ok: true, images: ['<png 8x8 70 B sha256:ab>'] },
    timing: { connect_ms: 12, first_byte_ms: 21, body_ms: 1, verify_ms: 2 },
  }),
  event(1_963, 'finished', { ok: true }),
];

test('a request that was repeated is a queue, an attempt, a wait with its reason, and an attempt', () => {
  const told = { timeline: REPEATED, created_at: CREATED, finished_at: CREATED + 1_963, status: 'completed' } as const;
  const { rows, spanMs, runs } = lanesOf(told, CREATED + 9_999_999);
  assert.deepEqual([spanMs, runs], [1_963, 1]);
  assert.deepEqual(
    rows.map(({ kind, outcome, words, certainty, billed }) => [kind, outcome, words, certainty, billed]),
    [
      ['attempt', 'failed', 'it tried and failed', 'failed', 'maybe'],
      ['wait', 'none', 'it tried and failed', undefined, undefined],
      ['attempt', 'ok', '1 picture', undefined, 'yes'],
    ],
  );
  assert.deepEqual(
    rows.map(({ segments }) => segments.map(({ stage, fromMs, toMs }) => `${stage} ${fromMs}-${toMs}`)),
    [
      ['queue 0-5', 'connect 5-20', 'first-byte 20-26', 'body 26-27', 'rest 27-40'],
      ['wait 44-1925'],
      ['connect 1925-1937', 'first-byte 1937-1958', 'body 1958-1959', 'verify 1959-1961', 'rest 1961-1962'],
    ],
  );
});

test('an attempt that broke off did so in the stage that nobody measured', () => {
  const stages = (timing?: Timing) => {
    const timeline = [
      event(0, 'attempt-started', { attempt: 1 }),
      event(90, 'attempt-ended', { attempt: 1, ok: false, failure: FAILED, ...(timing && { timing }) }),
    ];
    const { rows } = lanesOf({ timeline, created_at: 0, finished_at: 90, status: 'failed' }, 0);
    return rows[0]?.segments.map(({ stage }) => stage);
  };
  assert.deepEqual(stages(), ['first-byte']);
  assert.deepEqual(stages({ connect_ms: 10 }), ['connect', 'first-byte']);
  assert.deepEqual(stages({ connect_ms: 10, first_byte_ms: 20 }), ['connect', 'first-byte', 'body']);
  assert.deepEqual(stages({ connect_ms: 10, first_byte_ms: 20, body_ms: 5 }), [
    'connect',
    'first-byte',
    'body',
    'rest',
  ]);
});

test('what waits before its first attempt was in the queue until then, and no longer', () => {
  const timeline = [
    event(6, 'waiting', { target: TARGET, until: CREATED + 6_000, reason: 'its breaker is open' }),
    event(6_141, 'attempt-started', { attempt: 1, target: TARGET }),
    event(6_157, 'attempt-ended', { attempt: 1, ok: false, failure: FAILED }),
  ];
  const { rows } = lanesOf({ timeline, created_at: CREATED, finished_at: CREATED + 6_157, status: 'failed' }, 0);
  assert.deepEqual(
    rows.map(({ kind, segments }) => [kind, segments.map(({ stage, fromMs, toMs }) => `${stage} ${fromMs}-${toMs}`)]),
    [
      ['wait', ['queue 0-6', 'wait 6-6141']],
      ['attempt', ['first-byte 6141-6157']],
    ],
  );
});

test('what is open ends now; what was never sent is a wait', () => {
  const created = { created_at: CREATED, status: 'processing' } as const;
  const open = lanesOf({ ...created, timeline: REPEATED.slice(0, 3) }, CREATED + 500);
  assert.deepEqual(open.rows.at(-1)?.segments, [{ stage: 'wait', fromMs: 44, toMs: 500, isOpen: true }]);
  const unsent = lanesOf({ ...created, timeline: [] }, CREATED + 700);
  assert.deepEqual(
    unsent.rows.map(({ kind, outcome, toMs }) => [kind, outcome, toMs]),
    [['wait', 'running', 700]],
  );
});

test('a job is drawn from its acceptance to its end, and a clock that fired stands on it', () => {
  const timeline = [
    event(2, 'attempt-started', { attempt: 1, target: 'x/job' }),
    event(10, 'handle-received', { attempt: 1, progress: 0 }),
    event(300, 'polled', { attempt: 1, progress: 40, stage: 'drawing' }),
    event(400, 'clock-fired', { attempt: 1, clock: 'total', failure: FAILED }),
  ];
  const { rows } = lanesOf({ timeline, created_at: CREATED, status: 'processing' }, CREATED + 600);
  assert.deepEqual(
    rows.map(({ outcome, overdueMs, segments }) => [outcome, overdueMs, segments.map(({ stage }) => stage)]),
    [['running', 400, ['queue', 'first-byte', 'job']]],
  );
});

test('segments follow each other inside their lane, whatever was measured', () => {
  const times = fc.record({
    ...{ connect_ms: fc.nat(500), first_byte_ms: fc.nat(500), body_ms: fc.nat(500), verify_ms: fc.nat(500) },
  });
  fc.assert(
    fc.property(times, fc.nat(800), fc.boolean(), (timing, lasted, isJob) => {
      const timeline = [
        event(3, 'attempt-started', { attempt: 1 }),
        ...(isJob ? [event(3 + Math.floor(lasted / 2), 'handle-received', { attempt: 1 })] : []),
        event(3 + lasted, 'attempt-ended', { attempt: 1, ok: true, timing }),
      ];
      const { rows } = lanesOf({ timeline, created_at: 0, finished_at: 5_000, status: 'completed' }, 0);
      for (const { segments, toMs } of rows) {
        for (const [at, one] of segments.entries()) assert.ok(one.fromMs >= (segments[at - 1]?.toMs ?? 0));
        assert.equal(segments.at(-1)?.toMs ?? toMs, toMs);
      }
    }),
  );
});

test('an axis has a few round instants', () => {
  assert.deepEqual(ticksOf(1_963), [0, 500, 1_000, 1_500]);
  for (const span of [1, 7, 40, 999, 12_345, 600_000])
    assert.ok(ticksOf(span).length >= 2 && ticksOf(span).length <= 5, `${span}`);
});
