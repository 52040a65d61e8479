import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { type Catalogue, createHealthBook, systemIo } from '@onetake/core';
import type { Logger } from 'pino';
import { openDiskAssets } from './assets/disk.ts';
import { createDownloader } from './assets/download.ts';
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
const STOP_GRACE_MS = 20_000;
const MAX_LIVE = 10_000;
const MAX_UNDELIVERED = 100_000;

/** Opens the data directory, takes up what an earlier process left, and listens. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const log = options.log ?? createLog('warn');
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore({ path: join(config.dataDir, 'onetake.db') });
  const assets = await openDiskAssets(join(config.dataDir, 'assets'));
  const sandbox = config.sandbox ? await startSandboxProcess(join(config.dataDir, 'sandbox')) : undefined;
  const io = systemIo();
  const health = createHealthBook();
  const catalogue = catalogueOf(config, sandbox && (() => sandbox));
  const undelivered = createUndelivered({ windowMs: config.attachWindowMs, maxEntries: MAX_UNDELIVERED });
  const worker = createWorker({
    store,
    io,
    assets,
    health,
    connection: (id) => catalogue.connections.find((one) => one.id === id),
    onFinished: (live) => keepForItsCaller(live, undelivered, io.now()),
    onError: (error, live) => log.error({ err: error, generation: live.id }, 'a run ended without a verdict'),
    leaseMs: LEASE_MS,
    unsentGraceMs: UNSENT_GRACE_MS,
  });
  await remember(store, undelivered, io.now() - config.attachWindowMs);
  await worker.recover();
  const deliveries = createDeliveries({ io, store, undelivered, confirmMs: CONFIRM_MS });
  const generations = createGenerations({
    store,
    worker,
    undelivered,
    catalogue,
    io,
    idempotencyMs: IDEMPOTENCY_MS,
    maxLive: MAX_LIVE,
  });
  const app = await createApp({
    config,
    store,
    assets,
    io,
    health,
    catalogue,
    worker,
    generations,
    undelivered,
    deliveries,
    fetchImage: createDownloader({ io }),
    sandboxUrl: sandbox?.url,
    assetsUrl: () => `${config.publicUrl ?? url}/v1/assets`,
    log,
  });
  await app.listen({ host: config.host, port: config.port });
  const url = addressOf(app.server.address(), config.host);
  const stopRetention = startRetention({
    store,
    assets,
    io,
    ...config.retention,
    onError: (err) => log.error({ err }, 'retention failed'),
  });

  return {
    url,
    catalogue,
    ...(sandbox && { sandbox: { url: sandbox.url } }),
    async close() {
      stopRetention();
      const closing = app.close();
      await worker.stop(STOP_GRACE_MS);
      await closing;
      await deliveries.close();
      await io.close();
      await sandbox?.stop();
      await store.close();
    },
  };
}

/** A result that nobody waits for is kept for the caller's next identical request; one that cost nothing is not. */
function keepForItsCaller(live: Live, undelivered: Undelivered, now: number): void {
  if (live.presence().absentSince === undefined) return;
  const { id, caller, fingerprint } = live;
  if (isWorthKeeping(live)) undelivered.lost({ id, caller, fingerprint, since: now });
  else undelivered.remove(id);
}

async function remember(store: Store, undelivered: Undelivered, since: number): Promise<void> {
  const rows = await store.undelivered(since, MAX_UNDELIVERED);
  for (const { id, caller, fingerprint, createdAt, finishedAt } of rows) {
    undelivered.lost({ id, caller, fingerprint, since: finishedAt ?? createdAt });
  }
}

/** Where this machine reaches what was bound; bound to every address, loopback is one of them. */
function addressOf(address: ReturnType<Server['address']>, host: string): string {
  const port = typeof address === 'object' ? address?.port : undefined;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
