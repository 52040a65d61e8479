import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitUse } from '../../api/now.ts';
import { byUrgency, fullestLimit, isBinding, limitUseText, targetState } from './standing.ts';

const limit = (given: Partial<LimitUse>): LimitUse => ({
  ...{ target: 'a/b', dimension: 'images', count: 5, window_ms: 60_000, used: 4, share: 0.8, waiting: 0 },
  ...given,
});

test('a limit binds where it is full, or nearly so with something waiting', () => {
  const full = limit({ target: 'full/one', share: 1 });
  assert.equal(fullestLimit([limit({}), full, limit({ used: 0, share: 2 })])?.target, 'full/one');
  assert.equal(fullestLimit([limit({ used: 0, share: 0, waiting: 3 })]), undefined);
  assert.ok(isBinding(full) && isBinding(limit({ waiting: 1 })));
  assert.ok(!isBinding(limit({})) && !isBinding(limit({ share: 0.1, waiting: 5 })));
});

test('limits in words', () => {
  assert.equal(limitUseText(limit({})), '4 of 5 images in 1 min, 80 %');
  assert.equal(limitUseText(limit({ dimension: 'concurrency', window_ms: null })), '4 of 5 at once, 80 %');
});

test('a target stands as the graver of its breakers, and what is not well comes first', () => {
  const well = { id: 'a/well', drained: false, breaker: 'closed', credential_breaker: 'closed' } as const;
  const states = [
    [well, 'closed', 'good'],
    [{ ...well, breaker: 'half_open' }, 'half-open', 'warn'],
    [{ ...well, breaker: 'open', reason: 'a 500' }, 'open', 'bad'],
    [{ ...well, breaker: 'half_open', credential_breaker: 'open' }, 'open', 'bad'],
    [{ ...well, available_at: 7 }, 'waits', 'warn'],
    [{ id: 'z/unused', drained: true }, 'drained', 'warn'],
  ] as const;
  for (const [target, word, tone] of states) {
    assert.deepEqual([targetState(target).word, targetState(target).tone], [word, tone]);
  }
  assert.equal(targetState({ ...well, breaker: 'open', reason: 'a 500' }).why, 'a 500');
  const order = byUrgency([well, { ...well, id: 'b/open', breaker: 'open' }, { id: 'z/unused', drained: true }]);
  assert.deepEqual(
    order.map(({ id }) => id),
    ['b/open', 'z/unused', 'a/well'],
  );
});
