import assert from 'node:assert/strict';
import type { LedgerLine } from '@onetake/core';
import type { Hold, Window } from '../ledger.ts';
import type { Store } from '../store.ts';
import { sampleFence, sampleGeneration, sampleHold, sampleLine, sampleSummary, started } from './samples.ts';

const MOST = { micro_usd: 300_000, images: 6 } as const;
const DAYS = [0, 1_000, 2_000];
const TOTAL: Window = { name: 'budget total', unit: 'micro_usd', since: 0 };
const IMAGES: Window = { name: 'images total', unit: 'images', since: 0 };
const days = DAYS.map(
  (since): Window => ({ name: `budget day ${since}`, unit: 'micro_usd', since, until: since + 1_000 }),
);
const WINDOWS = [TOTAL, IMAGES, ...days];

/** One generation: what its runs ask for in turn, how much of it they need, how it ends, and what is said of it later. */
export interface Life {
  readonly caller: number;
  readonly holds: readonly {
    readonly run: 0 | 1;
    readonly at: number;
    readonly microUsd: number;
    readonly images: number;
  }[];
  /** Hundredths of what a run held that are certainly spent, and that are in doubt. */
  readonly spent: number;
  readonly doubt: number;
  readonly isPriced: boolean;
  readonly startsAfterMs: number;
  readonly verdict: 'charged' | 'free' | undefined;
}

/** Lives generations side by side, on the nodes in turn; what a budget allows must hold after every step of each. */
export async function liveThrough(nodes: readonly Store[], round: number, all: readonly Life[]): Promise<void> {
  await Promise.all(
    all.map(async (life, index) => {
      const store = nodes[index % nodes.length] as Store;
      await liveOne(store, `r${round}.g${index}`, `r${round}.c${life.caller}`, life);
    }),
  );
  for (const store of nodes) {
    for (const caller of [`r${round}.c0`, `r${round}.c1`]) await equalsLedger(store, caller);
  }
}

async function liveOne(store: Store, id: string, caller: string, life: Life): Promise<void> {
  await store.create(sampleGeneration(id, { caller, runs: 2 }));
  const held = new Map<number, Hold>();
  for (const { run, at, microUsd, images } of life.holds) {
    const bounds = WINDOWS.filter(({ since, until = at + 1 }) => at >= since && at < until).map((window) => ({
      ...window,
      most: MOST[window.unit],
    }));
    const hold = sampleHold(id, { run, caller, at, microUsd, images, bounds });
    if ((await store.hold(hold)).kind === 'held') held.set(run, hold);
    await keepsBudgets(store, caller);
  }
  const lines = [...held.values()].flatMap((hold) => linesOf(hold, life));
  await store.append(sampleFence(id, 0), [started(1)], sampleSummary({ billed: 'maybe', lines }));
  await keepsBudgets(store, caller);
  await assert.rejects(store.hold(sampleHold(id, { caller })), { name: 'LostRunError' });
  if (life.verdict === undefined) return;
  const isInDoubt = lines.length === 0 || lines.some(isDoubtful);
  const answer = await store.settle({ generation: id, verdict: life.verdict, at: 5_000 });
  assert.equal(answer, isInDoubt ? 'settled' : 'not_unknown');
  await keepsBudgets(store, caller);
}

function isDoubtful({ possibleMicroUsd, possibleImages }: LedgerLine): boolean {
  return possibleMicroUsd === null || possibleMicroUsd > 0 || possibleImages > 0;
}

function linesOf({ run, at, microUsd, images }: Hold, { spent, doubt, isPriced, startsAfterMs }: Life): LedgerLine[] {
  const startedAt = at + startsAfterMs;
  const made = Math.min(1, images);
  return [
    sampleLine({ run, startedAt, images: made, spentMicroUsd: Math.floor((microUsd * spent) / 100) }),
    sampleLine({
      ...{ run, startedAt, attempt: 2, images: 0, possibleImages: images - made, spentMicroUsd: 0 },
      possibleMicroUsd: isPriced ? Math.floor((microUsd * doubt) / 100) : null,
    }),
  ];
}

async function keepsBudgets(store: Store, caller: string): Promise<void> {
  const uses = await store.uses(caller, WINDOWS);
  for (const [index, { name, spent, held }] of uses.entries()) {
    assert.ok(spent >= 0 && held >= 0, `${name} of ${caller} has ${spent} spent and ${held} held`);
    const most = MOST[WINDOWS[index]?.unit ?? 'images'];
    assert.ok(spent + held <= most, `${name} of ${caller} has ${spent} spent and ${held} held of ${most}`);
  }
}

/** A window of another name has never been used, so the store tells what the ledger has. */
async function equalsLedger(store: Store, caller: string): Promise<void> {
  const sums = (uses: Awaited<ReturnType<Store['uses']>>) => uses.map(({ spent, held }) => [spent, held]);
  const anew = await store.uses(
    caller,
    WINDOWS.map((window) => ({ ...window, name: `${window.name} anew` })),
  );
  assert.deepEqual(sums(await store.uses(caller, WINDOWS)), sums(anew));
}
