import { createAnswerReader } from './answer.ts';
import { failureOf } from './classify.ts';
import { type Connection, connectionAt, credentialOf } from './environment.ts';
import { exchange } from './exchange.ts';
import { createIntake } from './images/intake.ts';
import { createMemoryAssets } from './images/memory-assets.ts';
import type { Io } from './io.ts';
import { splitTarget } from './model-names.ts';

/** How much the servers of pools have to do, whoever gave it to them. */
export interface HostLoads {
  /** Asks the servers of this target, at most every 2 s and for half a second; never rejects. */
  refresh(target: string): Promise<void>;
  /** Jobs that a server was last heard to have, 0 where that is not known or too old; asks again for the next time. */
  of(target: string, credential: string): number;
}

const ASK_EVERY_MS = 2_000;
const ASK_TOTAL_MS = 500;
const STALE_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

interface Known {
  readonly askedAt: number;
  readonly asking: Promise<void>;
  readonly jobs: Map<string, number>;
}

/** One per client or gateway. Providers that cannot be asked, and those with one server, are not. */
export function createHostLoads(connectionOf: (provider: string) => Connection | undefined, io: Io): HostLoads {
  const known = new Map<string, Known>();

  function refresh(target: string): Promise<void> {
    const { provider } = splitTarget(target);
    const connection = connectionOf(provider);
    if (connection?.hosts === undefined || connection.provider.image?.queue === undefined) return Promise.resolve();
    const before = known.get(provider);
    const now = io.now();
    if (before && now - before.askedAt < ASK_EVERY_MS) return before.asking;
    // Until they answer, what they said last holds.
    const jobs = new Map(before && now - before.askedAt <= STALE_MS ? before.jobs : []);
    const asked = Object.keys(connection.hosts).map(async (host) => {
      const count = await ask(connection, host, io);
      if (count === undefined) jobs.delete(host);
      else jobs.set(host, count);
    });
    const asking = Promise.all(asked).then(() => {});
    known.set(provider, { askedAt: now, asking, jobs });
    return asking;
  }

  return {
    refresh,
    of(target, credential) {
      const found = known.get(splitTarget(target).provider);
      // For the next choice: who chooses cannot wait.
      void refresh(target);
      if (found === undefined || io.now() - found.askedAt > STALE_MS) return 0;
      return found.jobs.get(credential) ?? 0;
    },
  };
}

async function ask(configured: Connection, host: string, io: Io): Promise<number | undefined> {
  const connection = connectionAt(configured, host);
  const queue = connection?.provider.image?.queue;
  if (connection === undefined || queue === undefined) return undefined;
  const assets = createMemoryAssets({ maxBytes: 0 });
  try {
    const request = connection.provider.authorize(queue.build(connection), credentialOf(connection, host));
    const got = await exchange(io, request, {
      ...{ connectMs: ASK_TOTAL_MS, firstByteMs: ASK_TOTAL_MS, idleMs: ASK_TOTAL_MS, totalMs: ASK_TOTAL_MS },
      deadlineAt: io.now() + ASK_TOTAL_MS,
      harvestMs: () => 0,
      cancel: new AbortController().signal,
      reach: 'configured',
      readAsset: (asset) => assets.read(asset),
      openReader: (status, headers) =>
        createAnswerReader(status, headers, { intake: createIntake(assets), maxBytes: MAX_ANSWER_BYTES }),
      onClock: () => {},
    });
    if (!got.ok || failureOf(connection.provider, got.response, io.now())) return undefined;
    const count = queue.parse(got.response);
    return count !== undefined && Number.isFinite(count) ? Math.max(0, count) : undefined;
  } catch {
    return undefined;
  }
}
