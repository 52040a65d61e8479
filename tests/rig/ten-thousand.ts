import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  type Asset,
  type Catalogue,
  type Event,
  type Failure,
  type Outcome,
  type Plan,
  planImage,
} from '@onetake/core';
import { catalogueOf } from '../../packages/gateway/src/catalogue.ts';
import { loadConfig } from '../../packages/gateway/src/config.ts';
import { openSqliteStore, type SqliteStore } from '../../packages/gateway/src/store/sqlite.ts';
import { summaryOf } from '../../packages/gateway/src/tasks/journal.ts';
import { createStudio } from '../../packages/sandbox/src/draw/studio.ts';

export interface Filling {
  readonly generations: number;
  /** Drawn once each, and handed over again and again. */
  readonly pictures: number;
}

const TEN_THOUSAND: Filling = { generations: 10_000, pictures: 240 };
const SUBJECTS = ['a red fox', 'an owl at night', 'a lighthouse', 'a bowl of lemons', 'a train', 'a hare in a meadow'];
const MANNERS = ['in the snow', 'oil on canvas', 'in the fog', 'as a woodcut', 'seen from above'];
const CALLERS = ['local', 'shop', 'newsroom'];
const MODELS = ['sandbox/fast', 'sandbox/ok'];
const SIZES = [
  { width: 256, height: 256 },
  { width: 256, height: 256 },
  { width: 384, height: 256 },
  { width: 256, height: 384 },
];
const WORKER = 'filling';
const NEWEST_MS = 30_000;
const STRETCH_MS = 14 * 24 * 3_600_000;
/** One in so many fails. */
const FAILING = 25;
/** What waits for the disk at once. */
const AT_ONCE = 2_000;

const FAILURES: readonly Failure[] = [
  { kind: 'server', certainty: 'failed', message: 'the server had an error', code: 'server_error', status: 500 },
  { kind: 'policy', certainty: 'rejected', message: 'the request was refused', code: 'content_policy_violation' },
  { kind: 'timeout', certainty: 'ambiguous', message: 'no answer in 300 s', code: 'outcome_unknown' },
];

/**
 * Writes generations to the database of a data directory that no gateway has open, as gateways write them: plan, journal,
 * bill and pictures. The newest is half a minute old, the oldest two weeks.
 */
export async function fillStore(
  dataDir: string,
  { generations, pictures }: Filling = TEN_THOUSAND,
  now = Date.now(),
): Promise<void> {
  const store = await openSqliteStore({ path: join(dataDir, 'onetake.db') });
  try {
    const assets = await drawPictures(store, pictures, now - STRETCH_MS);
    const catalogue = sandboxAlone(dataDir);
    const step = STRETCH_MS / generations;
    for (let from = 0; from < generations; from += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, generations - from) }, (_, index) => from + index);
      await Promise.all(
        some.flatMap((number) => {
          const at = Math.floor(now - NEWEST_MS - (generations - 1 - number) * step);
          return generate(store, catalogue, { number, at, asset: assets[number % assets.length] ?? assert.fail() });
        }),
      );
    }
  } finally {
    await store.close();
  }
}

async function drawPictures(store: SqliteStore, count: number, at: number): Promise<readonly Asset[]> {
  const studio = createStudio();
  const drawn: Asset[] = [];
  for (let seed = 0; seed < count; seed += 1) {
    const size = SIZES[seed % SIZES.length] ?? assert.fail();
    const order = { prompt: promptOf(seed), seed, model: 'fast', ...size, transparent: false } as const;
    const bytes = await studio.draw({ ...order, format: 'png', quality: 80, reduction: 1 });
    const hash = createHash('sha256').update(bytes).digest('hex');
    const asset = { hash, type: 'png', bytes: bytes.length, ...size, animated: false, alpha: false } as const;
    // A copy of its own: what crosses to another thread takes its whole buffer along.
    await store.smallPictures.put(asset, Uint8Array.from(bytes), at);
    drawn.push(asset);
  }
  return drawn;
}

function promptOf(number: number): string {
  const subject = SUBJECTS[number % SUBJECTS.length];
  return `${subject} ${MANNERS[Math.floor(number / SUBJECTS.length) % MANNERS.length]}, no. ${number}`;
}

/** What names mean to a gateway without any provider's key. */
function sandboxAlone(dataDir: string): Catalogue {
  const address = { url: 'http://127.0.0.1:9', refusePort: 9, resetPort: 9 };
  return catalogueOf(loadConfig({ env: { ONETAKE_DATA: dataDir }, cwd: dataDir }), () => address);
}

function generate(
  store: SqliteStore,
  catalogue: Catalogue,
  { number, at, asset }: { readonly number: number; readonly at: number; readonly asset: Asset },
): readonly Promise<unknown>[] {
  const model = MODELS[number % MODELS.length];
  const size = `${asset.width}x${asset.height}`;
  const request = { operation: 'generate', prompt: promptOf(number), n: 1, size } as const;
  const planned = planImage(request, model, catalogue, {}, at, number);
  assert.ok(planned.ok, JSON.stringify(planned));
  const failure = number % FAILING === 7 ? FAILURES[Math.floor(number / FAILING) % FAILURES.length] : undefined;
  const outcome: Outcome = failure ? { ok: false, failure } : { ok: true, images: [{ asset, seed: number }] };
  const events = journal(planned.plan, { at, tookMs: 3_000 + ((number * 37) % 20_000), outcome });
  const id = `gen_${createHash('sha256').update(`generation ${number}`).digest('hex').slice(0, 24)}`;
  const created = store.create({
    ...{ id, caller: CALLERS[number % CALLERS.length] ?? '', endpoint: '/v1/images/generations' },
    ...{ fingerprint: id, requestId: id.replace('gen', 'req'), plan: planned.plan, runs: 1, createdAt: at },
    ...{ begin: { lease: { worker: WORKER, until: at + 60_000 } }, assets: [] },
  });
  const fence = { generation: id, run: 0, length: 0, worker: WORKER };
  // In the order they were called: the row is there when its journal comes.
  const appended = store.append(fence, events, summaryOf({ plan: planned.plan }, [events]));
  return [created, appended, store.markDelivered([id], at + 30_000)];
}

function journal(
  plan: Plan,
  { at, tookMs, outcome }: { readonly at: number; readonly tookMs: number; readonly outcome: Outcome },
): readonly Event[] {
  const target = plan.targets[0]?.id ?? '';
  const end = at + tookMs;
  const timing = { connectMs: 12, firstByteMs: tookMs - 80, bodyMs: 50, verifyMs: 6 };
  return [
    { type: 'attempt-started', at: at + 2, attempt: 1, target },
    { type: 'attempt-ended', at: end, attempt: 1, outcome, status: outcome.ok ? 200 : 500, timing },
    { type: 'finished', at: end, outcome },
  ];
}
