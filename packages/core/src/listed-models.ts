import { createAnswerReader } from './answer.ts';
import { failureOf } from './classify.ts';
import { type Connection, credentialOf, RUN_LIMITS } from './environment.ts';
import { exchange } from './exchange.ts';
import type { Failure } from './failure.ts';
import { createIntake } from './images/intake.ts';
import { createMemoryAssets } from './images/memory-assets.ts';
import type { Io } from './io.ts';
import { TIMEOUTS } from './policy/timeout.ts';
import type { ListedModel } from './providers/provider.ts';

const TOTAL_MS = 30_000;

/** Asks a provider which models it has now, which costs nothing; undefined where it cannot be asked. */
export async function listModels(
  connection: Connection,
  io: Io,
): Promise<{ readonly models: readonly ListedModel[] } | { readonly failure: Failure } | undefined> {
  const { provider, baseUrl, pool } = connection;
  if (provider.catalog === undefined) return undefined;
  const [credential = connection.id] = Object.keys(pool ?? {});
  const request = provider.authorize(provider.catalog.build({ baseUrl }), credentialOf(connection, credential));
  const assets = createMemoryAssets({ maxBytes: 0 });
  const got = await exchange(io, request, {
    connectMs: TIMEOUTS.connectMs,
    firstByteMs: TOTAL_MS,
    idleMs: TOTAL_MS,
    deadlineAt: io.now() + TOTAL_MS,
    totalMs: TOTAL_MS,
    harvestMs: () => 0,
    cancel: new AbortController().signal,
    reach: 'configured',
    readAsset: (asset) => assets.read(asset),
    openReader: (status, headers) =>
      createAnswerReader(status, headers, { intake: createIntake(assets), maxBytes: RUN_LIMITS.maxAnswerBytes }),
    onClock: () => {},
  });
  if (!got.ok) return { failure: got.failure };
  const failure = failureOf(provider, got.response, io.now());
  return failure ? { failure } : { models: provider.catalog.parse(got.response) };
}
