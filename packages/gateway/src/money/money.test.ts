import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Spend } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import type { ManagedKey } from '../keys/key.ts';
import { StoreClosedError, StoreOverloadedError, StoreUnavailableError } from '../store/errors.ts';
import type { Hold, HoldAnswer } from '../store/ledger.ts';
import { createMoney } from './money.ts';

const NOW = Date.UTC(2026, 10, 21, 22);
const MIDNIGHT = Date.UTC(2026, 10, 22);
const KEY: ManagedKey = {
  ...{ name: 'app', digest: 'd', hint: 'sk-onetake-abcd', createdAt: NOW - 1_000 },
  budget: { microUsd: 5_000_000, per: 'day' },
};
const SPEND: Spend = { runId: 'gen_1.2', target: 'lab/m', microUsd: 50_000, images: 1 };
const HELD: HoldAnswer = { kind: 'held' };
const DAY = {
  name: 'budget day 2026-11-21',
  unit: 'micro_usd',
  since: MIDNIGHT - 86_400_000,
  until: MIDNIGHT,
} as const;
const FULL: HoldAnswer = { kind: 'refused', window: DAY.name, left: 20_000 };

/** Money of one key on a store that answers each hold in turn, the last one again and again. */
function world(key: Partial<ManagedKey>, answers: readonly (HoldAnswer | Error)[] = [HELD]) {
  const clock = createVirtualClock(NOW);
  const holds: Hold[] = [];
  const errors: unknown[] = [];
  let looks = 0;
  const money = createMoney({
    keys: { named: (name) => (name === 'app' ? { ...KEY, ...key } : undefined) },
    store: {
      async hold(hold) {
        const answer = answers[Math.min(holds.length, answers.length - 1)];
        holds.push(hold);
        if (answer === undefined || answer instanceof Error) throw answer;
        return answer;
      },
      async uses(_caller, windows) {
        looks += 1;
        return windows.map(({ name }) => ({ name, spent: 4_930_000, held: 50_000 }));
      },
    },
    io: clock,
    onError: (error) => errors.push(error),
  });
  const afford = money.affordFor({ id: 'gen_1', caller: 'app' });
  const ask = (spend: Partial<Spend> = {}) => {
    assert.ok(afford);
    return clock.drive(afford({ ...SPEND, ...spend }));
  };
  return { ask, afford, money, holds, errors, clock, looks: () => looks };
}

test('who has no budget asks nobody', () => {
  const { money } = world({});
  assert.equal(money.affordFor({ id: 'gen_1', caller: 'other' }), undefined);
  const { budget: _, ...plain } = KEY;
  const unbounded = createMoney({
    keys: { named: () => plain },
    store: { hold: async () => HELD, uses: async () => [] },
    io: createVirtualClock(NOW),
    onError: () => assert.fail(),
  });
  assert.equal(unbounded.affordFor({ id: 'gen_1', caller: 'app' }), undefined);
});

test('what a run may have cost is held in the windows of now, for that run', async () => {
  const { ask, holds } = world({ images: { count: 100, per: 'hour' } });
  assert.equal(await ask(), undefined);
  assert.deepEqual(holds, [
    {
      ...{ generation: 'gen_1', run: 2, caller: 'app', at: NOW, microUsd: 50_000, images: 1 },
      bounds: [
        { ...DAY, most: 5_000_000 },
        {
          ...{ name: 'images hour 2026-11-21T22', unit: 'images', most: 100 },
          ...{ since: NOW, until: NOW + 3_600_000 },
        },
      ],
    },
  ]);
});

test('beyond its budget a run is told which one, what is left of it, and when it starts anew', async () => {
  const { ask } = world({}, [FULL]);
  assert.deepEqual(await ask(), {
    kind: 'budget',
    certainty: 'not_sent',
    message:
      'the budget of key "app" is $5.00 a day; $0.02 of it is left and with lab/m this request may come to $0.05: it starts anew at 2026-11-22T00:00:00Z',
    notBefore: MIDNIGHT,
    budget: {
      ...{ key: 'app', per: 'day', unit: 'micro_usd', most: 5_000_000 },
      ...{ spent: 4_930_000, held: 50_000, until: MIDNIGHT },
    },
  });
});

test('what no window has room for is not to be waited for', async () => {
  const dear = await world({}, [FULL]).ask({ microUsd: 6_000_000 });
  assert.equal(dear?.notBefore, undefined);
  assert.match(dear?.message ?? '', /use another key, or ask for something cheaper$/);
  const total = { kind: 'refused', window: 'budget total', left: 0 } as const;
  const ended = await world({ budget: { microUsd: 5_000_000, per: 'total' } }, [total]).ask();
  assert.equal(ended?.notBefore, undefined);
  assert.match(ended?.message ?? '', /is \$5\.00 in all; \$0\.00 of it is left/);
});

test('a budget of pictures counts pictures', async () => {
  const refused = { kind: 'refused', window: 'images hour 2026-11-21T22', left: 1 } as const;
  const { budget: _, ...plain } = KEY;
  const failure = await world({ ...plain, images: { count: 10, per: 'hour' } }, [refused]).ask({ images: 2 });
  assert.match(failure?.message ?? '', /is 10 pictures an hour; 1 picture of it is left .* come to 2 pictures/);
  assert.deepEqual([failure?.budget?.unit, failure?.notBefore], ['images', NOW + 3_600_000]);
});

test('an unknown price is refused by a budget of money, unless the key allows it', async () => {
  const strict = world({});
  const failure = await strict.ask({ microUsd: undefined });
  assert.deepEqual([failure?.kind, failure?.certainty, strict.holds.length], ['budget', 'not_sent', 0]);
  assert.match(failure?.message ?? '', /models: lab\/m.*--allow-unknown-price/);
  const lax = world({ allowUnknownPrice: true });
  assert.equal(await lax.ask({ microUsd: undefined }), undefined);
  assert.equal(await lax.ask({ microUsd: 70_000 }), undefined);
  // What the attempts before may have cost is not let go for one that nobody can price.
  assert.equal(await lax.ask({ microUsd: undefined }), undefined);
  assert.deepEqual(
    lax.holds.map(({ microUsd }) => microUsd),
    [70_000, 70_000],
  );
});

test('what takes nothing of any budget holds nothing, unless something is held', async () => {
  const { ask, holds } = world({ images: { count: 1, per: 'day' } });
  assert.equal(await ask({ microUsd: 0, images: 0 }), undefined);
  assert.equal(holds.length, 0);
  await ask();
  await ask({ microUsd: 0, images: 0 });
  assert.deepEqual(
    holds.map(({ microUsd, images }) => [microUsd, images]),
    [
      [50_000, 1],
      [0, 0],
    ],
  );
});

test('pictures without a price are counted where there is no budget of money', async () => {
  const clock = createVirtualClock(NOW);
  const holds: Hold[] = [];
  const { budget: _, ...plain } = KEY;
  const money = createMoney({
    keys: { named: () => ({ ...plain, images: { count: 1, per: 'day' } }) },
    store: {
      uses: async () => [],
      async hold(hold) {
        holds.push(hold);
        return HELD;
      },
    },
    io: clock,
    onError: () => assert.fail(),
  });
  const afford = money.affordFor({ id: 'gen_1', caller: 'app' });
  assert.equal(await afford?.({ ...SPEND, microUsd: undefined }), undefined);
  assert.deepEqual(
    holds.map(({ images, microUsd }) => [images, microUsd]),
    [[1, 0]],
  );
});

test('a store that is away for a moment is asked again; one that stays away refuses', async () => {
  const away = new StoreUnavailableError('gone', true);
  const short = world({}, [away, new StoreOverloadedError(1), HELD]);
  assert.equal(await short.ask(), undefined);
  assert.equal(short.holds.length, 3);
  const long = world({}, [away]);
  const failure = await long.ask();
  assert.deepEqual([failure?.kind, failure?.certainty], ['unavailable', 'not_sent']);
  assert.ok(long.clock.now() - NOW >= 5_000 && (failure?.notBefore ?? 0) > long.clock.now());
  assert.deepEqual(long.errors, [away]);
});

test('any other error of the store spends nothing either', async () => {
  const { ask, holds } = world({}, [new StoreClosedError('end')]);
  assert.equal((await ask())?.kind, 'unavailable');
  assert.equal(holds.length, 1);
});

test('many that are refused at once look once at how the budget stands', async () => {
  const { money, clock, looks } = world({}, [FULL]);
  const many = Array.from({ length: 20 }, (_, index) =>
    money.affordFor({ id: `gen_${index}`, caller: 'app' })?.(SPEND),
  );
  const told = await clock.drive(Promise.all(many));
  assert.ok(told.every((failure) => failure?.budget?.spent === 4_930_000));
  assert.equal(looks(), 1);
});
