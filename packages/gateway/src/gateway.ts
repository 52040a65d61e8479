import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { type Catalogue, createHealthBook, type Io, systemIo } from '@onetake/core';
import type { Logger } from 'pino';
import { type DiskAssets, openDiskAssets } from './assets/disk.ts';
import { createDownloader } from './assets/download.ts';
import { createTieredAssets } from './assets/tiered.ts';
import { catalogueOf } from './catalogue.ts';
import type { Config } from './config.ts';
import { createApp } from './http/app.ts';
import { createDeliveries } from './http/delivery.ts';
import { createLog } from './log.ts';
import { startRetention } from './retention.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { openSqliteStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { createGenerations, isWorthKeeping } from './tasks/generations.ts';
import type { Live } from './tasks/live.ts';
import { createUndelivered, type Undelivered } from './tasks/undelivered.ts';
import { createWorker } from './tasks/worker.ts';

/** A running gateway. */
export interface Gateway {
  readonly url: string;
  readonly sandbox?: { readonly url: string };
  readonly catalogue: Catalogue;
  close(): Promise<void>;
}

export interface GatewayOptions {
  readonly log?: Logger;
}

const LEASE_MS = 15_000;
const UNSENT_GRACE_MS = 10_000;
const IDEMPOTENCY_MS = 24 * 3_600_000;
const CONFIRM_MS = 5_000;
/** Pictures take minutes, and one that is not waited for ends as an outcome nobody knows; a second signal ends at once. */
const STOP_GRACE_MS = 300_000;
/** For callers to take the answers that are being written. */
const LAST_ANSWERS_MS = 10_000;
const MAX_LIVE = 10_000;
const MAX_UNDELIVERED = 100_000;

/** Opens the data directory, takes up what an earlier process left, and listens. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  /** What is open, closed again in reverse: at the end, or when a later step fails, such as a port that is taken. */
  const opened: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeOne of opened.splice(0).toReversed()) await closeOne();
  };
  try {
    return { ...(await open(config, options.log ?? createLog('warn'), opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(config: Config, log: Logger, opened: (() => Promise<unknown>)[]): Promise<Omit<Gateway, 'close'>> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore({ path: join(config.dataDir, 'onetake.db') });
  opened.push(() => store.close());
  const sandbox = config.sandbox ? await startSandboxProcess(join(config.dataDir, 'sandbox')) : undefined;
  if (sandbox) opened.push(() => sandbox.stop());
  const io = systemIo();
  opened.push(() => io.close());
  const files = await openDiskAssets(join(config.dataDir, 'assets'));
  const assets = createTieredAssets({ files, small: store.smallPictures, now: io.now });
  const catalogue = catalogueOf(config, sandbox && (() => sandbox));
  const engine = await startEngine({ config, store, assets, io, catalogue, log });
  opened.push(() => engine.deliveries.close());
  let url = '';
  const app = await createApp({
    ...engine,
    ...{ config, store, assets, io, catalogue, log },
    fetchImage: createDownloader({ io }),
    sandboxUrl: () => sandbox?.url,
    assetsUrl: () => `${config.publicUrl ?? url}/v1/assets`,
  });
  // Together: the server waits for answers, and answers wait for what the worker parks or lets end.
  opened.push(async () => {
    const closing = app.close();
    await engine.worker.stop(STOP_GRACE_MS);
    const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
    await closing;
    clearTimeout(cut);
  });
  await app.listen({ host: config.host, port: config.port });
  url = addressOf(app.server.address(), config.host);
  const onError = (err: unknown) => log.error({ err }, 'retention failed');
  const stopRetention = startRetention({ store, assets, io, ...config.retention, onError });
  opened.push(async () => stopRetention());
  return { url, catalogue, ...(sandbox && { sandbox }) };
}

interface EngineOptions {
  readonly config: Config;
  readonly store: Store;
  readonly assets: DiskAssets;
  readonly io: Io;
  readonly catalogue: Catalogue;
  readonly log: Logger;
}

/** What turns requests into generations; it has taken up what an earlier process left when this resolves. */
async function startEngine({ config, store, assets, io, catalogue, log }: EngineOptions) {
  const health = createHealthBook();
  const undelivered = createUndelivered({ windowMs: config.attachWindowMs, maxEntries: MAX_UNDELIVERED });
  const onStoreError = (err: unknown) => log.error({ err }, 'the store could not be written');
  const worker = createWorker({
    store,
    io,
    assets,
    health,
    connection: (id) => catalogue.connections.find((one) => one.id === id),
    onFinished: (live) => settleFinished(live, undelivered, io.now()),
    onError: (error, live) => log.error({ err: error, generation: live.id }, 'a run ended without a verdict'),
    leaseMs: LEASE_MS,
    unsentGraceMs: UNSENT_GRACE_MS,
  });
  await remember(store, undelivered, io.now(), config.attachWindowMs);
  await worker.recover();
  const deliveries = createDeliveries({ io, store, undelivered, confirmMs: CONFIRM_MS, onError: onStoreError });
  const generations = createGenerations({
    store,
    worker,
    undelivered,
    catalogue,
    io,
    idempotencyMs: IDEMPOTENCY_MS,
    maxLive: MAX_LIVE,
  });
  return { health, undelivered, worker, deliveries, generations };
}

/** A result that nobody waits for is kept for its caller's next identical request; what cost nothing had better run again. */
function settleFinished(live: Live, undelivered: Undelivered, now: number): void {
  const { id, caller, fingerprint } = live;
  if (!isWorthKeeping(live)) undelivered.remove(id);
  else if (live.presence().absentSince !== undefined) undelivered.lost({ id, caller, fingerprint, since: now });
}

async function remember(store: Store, undelivered: Undelivered, now: number, windowMs: number): Promise<void> {
  const rows = await store.undelivered(now - windowMs, MAX_UNDELIVERED);
  for (const { id, caller, fingerprint, finishedAt } of rows) {
    undelivered.lost({ id, caller, fingerprint, since: finishedAt ?? now });
  }
}

/** Where this machine reaches what was bound; bound to every address, loopback is one of them. */
function addressOf(address: ReturnType<Server['address']>, host: string): string {
  const port = typeof address === 'object' ? address?.port : undefined;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
