import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Admission, createLimiter, parseLimit } from './limit.ts';
import { durationText, type Refusal } from './wire/answer.ts';

function refused(admission: Admission): Refusal {
  if (admission.admitted) assert.fail('it was admitted');
  return admission.refusal;
}

test('a limit is read with all its units', () => {
  assert.deepEqual(parseLimit('images=5/60s, requests=10/1.5m,concurrency=4'), {
    images: { count: 5, windowMs: 60_000 },
    requests: { count: 10, windowMs: 90_000 },
    concurrency: 4,
  });
  assert.deepEqual(parseLimit('images=1/200ms'), { images: { count: 1, windowMs: 200 } });
});

test('a wrong limit says which part, which rule and how to write it', () => {
  const wrong = [
    '',
    'pictures=5/60s',
    'images=5',
    'images=0/60s',
    'images=5/60',
    'images=x/1s',
    'concurrency=-1',
    'images=1/1s,images=1/1s',
    'requests=1/25h',
  ];
  for (const text of wrong)
    assert.throws(() => parseLimit(text), /^Error: limit ".*": .+; write it as in "images=5\/60s/u, text);
});

test('a refusal says the numbers and when, and waiting that long is enough', () => {
  const limiter = createLimiter({ images: { count: 5, windowMs: 60_000 } }, false);
  assert.ok(limiter.admit('m', { images: 3 }, 0).admitted);
  assert.ok(limiter.admit('m', { images: 2 }, 10_000).admitted);
  const refusal = refused(limiter.admit('m', { images: 1 }, 47_710));
  assert.match(refusal.message, /Limit 5, Used 5, Requested 1\. Please try again in 12\.3s\.$/u);
  assert.equal(refusal.headers?.['retry-after'], '13');
  assert.equal(refusal.headers?.['retry-after-ms'], '12290');
  assert.ok(!limiter.admit('m', { images: 1 }, 59_999).admitted);
  assert.ok(limiter.admit('m', { images: 1 }, 60_000).admitted);
  assert.match(
    refused(limiter.admit('m', { images: 6 }, 60_000)).message,
    /Request too large .* Limit 5, Requested 6/u,
  );
});

test('requests are counted in the headers, silence leaves every hint out', () => {
  const rule = { requests: { count: 2, windowMs: 60_000 } };
  const spoken = createLimiter(rule, false);
  const first = spoken.admit('m', { images: 1 }, 0);
  assert.ok(first.admitted);
  assert.deepEqual(first.headers, {
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-remaining-requests': '1',
    'x-ratelimit-reset-requests': '1m0s',
  });
  spoken.admit('m', { images: 1 }, 1);
  assert.equal(refused(spoken.admit('m', { images: 1 }, 2)).headers?.['x-ratelimit-remaining-requests'], '0');
  const silent = createLimiter(rule, true);
  const unsaid = silent.admit('m', { images: 1 }, 0);
  assert.ok(unsaid.admitted);
  assert.deepEqual(unsaid.headers, {});
  silent.admit('m', { images: 1 }, 0);
  const refusal = refused(silent.admit('m', { images: 1 }, 0));
  assert.equal(refusal.headers, undefined);
  assert.doesNotMatch(refusal.message, /\d/u);
});

test('concurrency is given back once, however often a request leaves', () => {
  const limiter = createLimiter({ concurrency: 1 }, false);
  const first = limiter.admit('m', { images: 1 }, 0);
  assert.ok(first.admitted);
  assert.match(refused(limiter.admit('m', { images: 1 }, 0)).message, /concurrent requests.*Limit 1, Used 1/u);
  first.leave();
  first.leave();
  assert.ok(limiter.admit('m', { images: 1 }, 0).admitted);
  assert.ok(!limiter.admit('m', { images: 1 }, 0).admitted);
});

test('work that was open before counts into the concurrency, and uses nothing else up', () => {
  const limiter = createLimiter({ concurrency: 1, requests: { count: 1, windowMs: 100 } }, false);
  const leave = limiter.enter();
  assert.ok(!limiter.admit('m', { images: 1 }, 0).admitted);
  leave();
  leave();
  assert.ok(limiter.admit('m', { images: 1 }, 0).admitted);
});

test('no stretch of a window ever holds more than the limit, and no refusal is needless', () => {
  const arrivals = fc.array(
    fc.record({ afterMs: fc.integer({ min: 0, max: 60 }), images: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(arrivals, (list) => {
      const limiter = createLimiter({ images: { count: 4, windowMs: 100 } }, false);
      const admitted: { at: number; images: number }[] = [];
      let now = 0;
      for (const { afterMs, images } of list) {
        now += afterMs;
        const used = admitted.filter(({ at }) => now - at < 100).reduce((sum, one) => sum + one.images, 0);
        const { admitted: is } = limiter.admit('m', { images: images }, now);
        assert.equal(is, used + images <= 4);
        if (is) admitted.push({ at: now, images });
      }
    }),
    { numRuns: 100 },
  );
});

test('durations read like OpenAI writes them and are never shorter', () => {
  assert.deepEqual([120, 999.5, 1000, 1500, 12_000, 360_000, 61_001].map(durationText), [
    '120ms',
    '1s',
    '1s',
    '1.5s',
    '12s',
    '6m0s',
    '1m2s',
  ]);
});

test('tokens are a dimension of their own, which pictures use nothing of', () => {
  const limiter = createLimiter(parseLimit('tokens=100/60s'), false);
  const first = limiter.admit('m', { tokens: 90 }, 0);
  assert.ok(first.admitted && first.headers['x-ratelimit-remaining-tokens'] === '10');
  assert.match(refused(limiter.admit('m', { tokens: 20 }, 1000)).message, /on tokens per 1m0s: Limit 100, Used 90/u);
  assert.ok(limiter.admit('m', { images: 500 }, 1000).admitted);
  assert.ok(limiter.admit('m', { tokens: 20 }, 60_000).admitted);
});
