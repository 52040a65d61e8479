import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Certainty, Event, Outcome } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { StoreOverloadedError, StoreUnavailableError } from '../store/errors.ts';
import { type Fence, LostRunError, type Store, type Summary } from '../store/store.ts';
import { sampleLive } from '../testing/sample-live.ts';
import { endEvents, sampleImage, sampleSnapshot, startedEvent } from '../testing/task-samples.ts';
import { createBeat } from './beat.ts';
import { journalBehind, storedJournal, summaryOf } from './journal.ts';

const DONE: Outcome = { ok: true, images: [sampleImage()] };
const END = endEvents(DONE);
const AWAY = new StoreUnavailableError('the database is away', false);
const UNSURE = new StoreUnavailableError('the connection was lost', true);

/** A store in which appends fail as told, and keep what they were given; `null` is one that is done and not answered. */
function rig(faults: readonly (Error | null | undefined)[], runs = 1) {
  const clock = createVirtualClock(10_000);
  const left = [...faults];
  const written: { run: number; length: number; status: Summary['status'] | undefined }[] = [];
  const journals: Event[][] = Array.from({ length: runs }, () => [startedEvent()]);
  const store: Partial<Store> = {
    async append({ generation, run, length }: Fence, added, summary) {
      const fault = left.shift();
      if (fault) throw fault;
      if (journals[run]?.length !== length) throw new LostRunError(generation, run);
      journals[run].push(...added);
      written.push({ run, length, status: summary?.status });
      if (fault === null) throw UNSURE;
    },
    read: async () => sampleSnapshot({ journals: structuredClone(journals) }),
  };
  const live = sampleLive({ journals });
  const parts = { store: store as Store, io: clock };
  const journalOf = (run: number) => storedJournal(live, run, 'w', parts);
  const errors: unknown[] = [];
  const beat = createBeat(clock, 50);
  const behind = (startsDurably = false) =>
    journalBehind(live, 'w', { ...parts, beat, onError: (error) => errors.push(error), startsDurably });
  return { clock, written, journals, live, journalOf, behind, errors };
}

test('what was paid for is written when the database is back', async () => {
  const { clock, written, live, journalOf } = rig([AWAY, UNSURE, new StoreOverloadedError(9), undefined]);
  await clock.drive(journalOf(0).append(END));
  assert.deepEqual(written, [{ run: 0, length: 1, status: 'completed' }]);
  assert.equal(live.journals[0]?.length, 3);
});

test('what was written and not answered is not taken for lost, and is there once', async () => {
  const { clock, written, journals, live, journalOf } = rig([null]);
  await clock.drive(journalOf(0).append(END));
  assert.deepEqual([written.length, journals[0]?.length, live.journals[0]?.length], [1, 3, 3]);
});

test('a lease that went to another while the database was away is lost', async () => {
  const { clock, journals, live, journalOf } = rig([UNSURE]);
  journals[0]?.push(...endEvents({ ok: false, failure: { kind: 'interrupted', certainty: 'ambiguous', message: '' } }));
  await assert.rejects(clock.drive(journalOf(0).append(END)), LostRunError);
  assert.equal(live.journals[0]?.length, 1);
});

test('what cost nothing does not wait for a database that is away', async () => {
  const rejected: Outcome = { ok: false, failure: { kind: 'unavailable', certainty: 'rejected', message: 'no' } };
  for (const events of [[startedEvent()], endEvents(rejected)]) {
    const { clock, journalOf } = rig([AWAY]);
    await assert.rejects(journalOf(0).append(events), AWAY);
    assert.equal(clock.now(), 10_000);
  }
});

test('a database that stays away is given up after two minutes', async () => {
  const { clock, journalOf } = rig(Array(1_000).fill(AWAY));
  await assert.rejects(clock.drive(journalOf(0).append(END)), AWAY);
  assert.ok(clock.now() >= 130_000 && clock.now() < 131_000, `${clock.now()}`);
});

test('a generation is over when all its runs are durable, not when they were on their way', async () => {
  const { clock, written, journalOf } = rig([new LostRunError('gen_1', 0), undefined], 2);
  const [first, second] = [journalOf(0), journalOf(1)];
  const ends = Promise.allSettled([first.append(END), second.append(END)]);
  const results = (await clock.drive(ends)).map(({ status }) => status);
  assert.deepEqual(results, ['rejected', 'fulfilled']);
  assert.deepEqual(written, [{ run: 1, length: 1, status: undefined }]);
});

test('of two runs that end at once the last one ends their generation', async () => {
  const { clock, written, journalOf } = rig([], 2);
  await clock.drive(Promise.all([journalOf(1).append(END), journalOf(0).append(END)]));
  assert.deepEqual(
    written.map(({ run, status }) => [run, status]),
    [
      [1, undefined],
      [0, 'completed'],
    ],
  );
});

test('the end of a generation brings the lines of the ledger, one for each attempt of each run', () => {
  const journals = [
    [startedEvent(), ...END],
    [startedEvent(), ...END],
  ];
  const { lines } = summaryOf(sampleLive({ journals }), journals) ?? {};
  assert.deepEqual(
    lines?.map(({ run, attempt, role }) => [run, attempt, role]),
    [
      [0, 1, 'first'],
      [1, 1, 'first'],
    ],
  );
});

test('what is written behind counts at once, and what gathers meanwhile is one write', async () => {
  const { clock, written, journals, live, behind, errors } = rig([AWAY]);
  const journal = behind();
  await journal.append([startedEvent()]);
  for (const event of END) await journal.append([event]);
  assert.equal(live.journals[0]?.length, 4);
  await clock.drive(journal.settled());
  assert.deepEqual(written, [{ run: 0, length: 1, status: 'completed' }]);
  assert.deepEqual([journals[0]?.length, errors], [4, []]);
});

test('where money is held, that an attempt begins is durable first, and at once', async () => {
  const { clock, written, behind } = rig([]);
  await clock.drive(behind(true).append([startedEvent()]));
  assert.deepEqual([written.length, clock.now()], [1, 10_000]);
  const lost = rig(Array(1_000).fill(new LostRunError('gen_1', 0)));
  await assert.rejects(lost.clock.drive(lost.behind(true).append([startedEvent()])), /it was not made/);
});

test('what cannot be written behind is told of once, and nothing waits for it', async () => {
  const { clock, written, journals, behind, errors } = rig([]);
  journals[0]?.push(startedEvent());
  const journal = behind();
  await journal.append([startedEvent()]);
  await clock.drive(journal.settled());
  await journal.append(END);
  await journal.settled();
  assert.ok(errors.length === 1 && errors[0] instanceof LostRunError);
  assert.deepEqual(written, []);
});

test('what is appended as a write ends is written too, before it is settled', async () => {
  for (let gap = 0; gap < 20; gap += 1) {
    const { clock, written, behind, live } = rig([]);
    const journal = behind();
    await journal.append([startedEvent()]);
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.timer(clock.now() + 50, async () => {
      for (let turn = 0; turn < gap; turn += 1) await Promise.resolve();
      await journal.append(END);
      await journal.settled();
      resolve();
    });
    await clock.drive(promise);
    assert.deepEqual([live.journals[0]?.length, written.at(-1)?.status], [4, 'completed']);
  }
});

test('the bill is in doubt as long as that of any attempt is, however the last one ended', () => {
  const failed = (certainty: Certainty): Outcome => ({
    ok: false,
    failure: { kind: 'server', certainty, message: 'it failed' },
  });
  const billedOf = (outcomes: readonly Outcome[]) => {
    const events = outcomes.flatMap((outcome, index): Event[] => [
      startedEvent(1_500, index + 1),
      { type: 'attempt-ended', at: 2_000, attempt: index + 1, outcome },
    ]);
    const [last = DONE] = outcomes.slice(-1);
    return summaryOf(sampleSnapshot(), [[...events, { type: 'finished', at: 2_000, outcome: last }]])?.billed;
  };
  assert.equal(billedOf([failed('failed'), failed('completed')]), 'maybe');
  assert.equal(billedOf([failed('failed'), failed('rejected')]), 'maybe');
  assert.equal(billedOf([failed('failed'), DONE]), 'maybe');
  assert.equal(billedOf([failed('rejected'), failed('completed')]), 'yes');
  assert.equal(billedOf([failed('ambiguous')]), 'maybe');
});

test('what was handed over is what the gallery shows: no preview, no mask, nothing that was set aside', () => {
  const image = (letter: string) => sampleImage(letter);
  const { asset } = image('p');
  const doubted = { ...image('d'), suspect: [{ code: 'black', detail: 'one colour' }] } as const;
  const given = { ok: true, images: [image('a'), { ...image('b'), original: image('o').asset }] } as const;
  const events: readonly Event[] = [
    startedEvent(),
    { type: 'partial-sent', at: 1_600, attempt: 1, index: 0, asset, event: {} },
    { type: 'attempt-ended', at: 1_700, attempt: 1, outcome: { ok: true, images: [doubted] } },
    startedEvent(1_800, 2),
    ...endEvents(given),
  ];
  const pictures = summaryOf(sampleSnapshot(), [events])?.pictures;
  assert.deepEqual(
    pictures?.map(({ hash, width, height }) => [hash.slice(0, 1), width, height]),
    [
      ['a', 64, 48],
      ['b', 64, 48],
    ],
  );
  const failure = { kind: 'server', certainty: 'failed', message: 'no' } as const;
  assert.equal(
    summaryOf(sampleSnapshot(), [[startedEvent(), ...endEvents({ ok: false, failure })]])?.pictures,
    undefined,
  );
});
