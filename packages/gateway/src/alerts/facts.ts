import { statfs } from 'node:fs/promises';
import type { Catalogue, HealthBook, Io } from '@onetake/core';
import { BATCH_SCOPE } from '../batches/begin-line.ts';
import { endOf } from '../doctor/checks/targets.ts';
import type { Recent } from '../now/recent.ts';
import type { Stored } from '../now/stored.ts';
import { masked } from '../store/failure-fingerprint.ts';
import type { Store } from '../store/store.ts';
import type { BudgetFacts, CountedFacts, DiskFacts, Facts, ModelFacts, Streak, TargetFacts } from './readings.ts';
import { type ActiveRules, RULES, type RuleName } from './rules.ts';

export interface FactSources {
  readonly store: Pick<Store, 'list' | 'listWebhooks'>;
  readonly stored: Pick<Stored, 'budgets' | 'storedBytes'>;
  readonly health: Pick<HealthBook, 'report'>;
  readonly catalogue: Catalogue;
  readonly recent: Pick<Recent, 'window' | 'since'>;
  readonly streaks: { report(): readonly Streak[] };
  readonly io: Pick<Io, 'now'>;
  readonly dataDir: string;
  readonly retentionBytes: number;
  readonly rules: ActiveRules;
  /** Something cannot be looked up any more, told once; what was known of it holds on. */
  readonly onError: (error: unknown, what: RuleName) => void;
}

/** What the store is asked of is bounded: enough to pass any sensible threshold. */
const MAX_ROWS = 100;
/** What batches have handed over stands among these. */
const MAX_WAITING = 1_000;
/** Retention comes every ten minutes: what is beyond its bound by more than this it cannot remove, or not fast enough. */
const BEYOND_RETENTION = 1.1;
const MAX_REASON_CHARS = 200;
/** Questions that read many rows are asked this seldom. */
const HEAVY_EVERY_MS = 600_000;
const LIGHT_EVERY_MS = 60_000;

/**
 * Collects what the rules are about. What happens here is looked at every time; the store is asked once a minute or,
 * where a question reads many rows, every ten, and only for rules that are on.
 */
export function createFacts(sources: FactSources): () => Promise<Facts> {
  const { io, recent, health, streaks, rules, onError } = sources;
  /** By question: a rule may ask two. */
  const unanswered = new Map<object, RuleName>();
  const seldom = <Value>(rule: RuleName, everyMs: number, ask: () => Promise<Value>, first: Value) => {
    let known = first;
    let askAt = 0;
    let isFailing = false;
    const question = {};
    return async (): Promise<Value> => {
      const waitMs = askAt - io.now();
      // Longer than it ever is where the clock was set back.
      if (rules[rule] === undefined || (waitMs > 0 && waitMs <= everyMs)) return known;
      askAt = io.now() + everyMs;
      try {
        known = await ask();
        unanswered.delete(question);
        isFailing = false;
      } catch (error) {
        if (known === first) unanswered.set(question, rule);
        if (!isFailing) onError(error, rule);
        isFailing = true;
      }
      return known;
    };
  };
  const ask = {
    budgets: seldom('budget', LIGHT_EVERY_MS, () => budgetFacts(sources), []),
    unknown: seldom('unknown_outcomes', LIGHT_EVERY_MS, () => unknownFacts(sources), undefined),
    waiting: seldom('queue_age', LIGHT_EVERY_MS, () => waitingFacts(sources), undefined),
    models: seldom('model_retiring', HEAVY_EVERY_MS, async () => modelFacts(sources), []),
    disk: seldom('disk', LIGHT_EVERY_MS, () => diskFacts(sources.dataDir), []),
    stored: seldom('disk', HEAVY_EVERY_MS, () => storedFacts(sources), []),
    givenUp: seldom('webhooks_given_up', HEAVY_EVERY_MS, () => givenUpFacts(sources), undefined),
  };
  return async () => {
    // One after the other: nobody waits for this, and others wait for the store.
    const [budgets, unknownOutcomes, waiting] = [await ask.budgets(), await ask.unknown(), await ask.waiting()];
    const [models, disk, stored] = [await ask.models(), await ask.disk(), await ask.stored()];
    const givenUp = await ask.givenUp();
    const now = io.now();
    return {
      ...{ now, budgets, unknownOutcomes, waiting, models, givenUp },
      disk: [...disk, ...stored],
      recent: (windowMs) => recent.window(windowMs, now),
      targets: health.report(now).map(withoutValues),
      streaks: streaks.report(),
      unanswered: [...unanswered.values()],
      countedSince: recent.since,
    };
  };
}

/** A reason is what a provider said to whoever asked last, and may quote the request: it goes to a channel without that. */
function withoutValues(report: TargetFacts): TargetFacts {
  const { target, credential, state, credentialState, lastFailureAt, reason } = report;
  return {
    ...{ target, credential, state, credentialState },
    ...(lastFailureAt !== undefined && { lastFailureAt }),
    ...(reason !== undefined && { reason: masked(reason).slice(0, MAX_REASON_CHARS) }),
  };
}

async function budgetFacts({ stored }: FactSources): Promise<readonly BudgetFacts[]> {
  const uses = await stored.budgets();
  return uses.map(({ key, window: { name, most }, use }) => ({ key, window: name, used: use.spent + use.held, most }));
}

async function unknownFacts({ store, rules, io }: FactSources): Promise<CountedFacts> {
  const since = io.now() - (rules.unknown_outcomes?.windowMs ?? RULES.unknown_outcomes.windowMs);
  const rows = await store.list({ unknown: true, limit: MAX_ROWS });
  return countOf(rows.filter(({ createdAt }) => createdAt > since).length);
}

/** Asks only for those that wait longer than the rule allows, of which there are usually none. */
async function waitingFacts({ store, rules, io }: FactSources) {
  const createdAt = io.now() - (rules.queue_age ?? RULES.queue_age).levels[0].at;
  const rows = await store.list({ status: 'pending', before: { createdAt, id: '' }, limit: MAX_WAITING });
  // Lines of a batch were handed over to be done some time: hours in a queue are what a batch is for.
  return { oldestAt: rows.findLast(({ endpoint }) => endpoint !== BATCH_SCOPE)?.createdAt };
}

/** Models that routes name, that are the default, or that were asked for lately. */
function modelFacts({ catalogue, health, io }: FactSources): readonly ModelFacts[] {
  const named = [
    ...Object.values(catalogue.routes).flatMap(({ targets }) => targets),
    ...(catalogue.defaultModel?.includes('/') ? [catalogue.defaultModel] : []),
    ...health.report(io.now()).map(({ target }) => target),
  ];
  return [...new Set(named)].flatMap((target) => {
    const end = endOf(target, { catalogue, io });
    if (end === undefined) return [];
    const { on, days, successor } = end;
    return [{ target, on, days, ...(successor !== undefined && { successor }) }];
  });
}

async function diskFacts(dataDir: string): Promise<readonly DiskFacts[]> {
  const { bavail, blocks, bsize } = await statfs(dataDir);
  const most = blocks * bsize;
  return most > 0 ? [{ subject: 'data directory', used: most - bavail * bsize, most }] : [];
}

/** At its bound is where a gateway stands that has drawn for long: the oldest go, and nothing is wrong. */
async function storedFacts({ stored, retentionBytes: most }: FactSources): Promise<readonly DiskFacts[]> {
  const used = await stored.storedBytes();
  return used > most * BEYOND_RETENTION ? [{ subject: 'retention.bytes', used, most }] : [];
}

async function givenUpFacts({ store, rules, io }: FactSources): Promise<CountedFacts> {
  const since = io.now() - (rules.webhooks_given_up?.windowMs ?? RULES.webhooks_given_up.windowMs);
  const rows = await store.listWebhooks({ state: 'given-up', limit: MAX_ROWS });
  // Progress is given up whenever something newer is known.
  return countOf(rows.filter(({ type, settledAt = 0 }) => type !== 'task.progress' && settledAt > since).length);
}

function countOf(count: number): CountedFacts {
  return { count, isAtLeast: count >= MAX_ROWS };
}
