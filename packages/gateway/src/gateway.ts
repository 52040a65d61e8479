import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { type Catalogue, systemIo } from '@onetake/core';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { openDiskAssets } from './assets/disk.ts';
import { createDownloader } from './assets/download.ts';
import { createTieredAssets } from './assets/tiered.ts';
import { createBatches } from './batches/batches.ts';
import { openFiles } from './batches/files.ts';
import { catalogueOf } from './catalogue.ts';
import type { Config } from './config.ts';
import { startEngine } from './engine.ts';
import { createApp } from './http/app.ts';
import { taskView } from './http/task-view.ts';
import { createLog } from './log.ts';
import { startModelRefresh } from './model-refresh.ts';
import { startRetention } from './retention.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { openPostgresStore } from './store/postgres.ts';
import { openSqliteStore } from './store/sqlite.ts';
import { createWebhookDeliverer, type WebhookDeliverer } from './webhooks/deliverer.ts';
import { createWebhookSecrets } from './webhooks/secrets.ts';

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

/** Pictures take minutes, and one that is not waited for ends as an outcome nobody knows; a second signal ends at once. */
const STOP_GRACE_MS = 300_000;
/** For callers to take the answers that are being written. */
const LAST_ANSWERS_MS = 10_000;
const HANG_UP_EVERY_MS = 100;
/** Lines of one batch that are tasks at once: enough to use any limit, few enough to leave the queue to others. */
const BATCH_LOOKAHEAD = 256;

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
  const store = await openStore(config);
  opened.push(() => store.close());
  const sandbox = config.sandbox ? await startSandboxProcess(join(config.dataDir, 'sandbox')) : undefined;
  if (sandbox) opened.push(() => sandbox.stop());
  const io = systemIo();
  opened.push(() => io.close());
  const pictures = await openDiskAssets(config.assetsDir, { shared: store.ownership === 'shared' });
  const assets = createTieredAssets({ files: pictures, small: store.smallPictures, now: io.now });
  const catalogue = catalogueOf(config, sandbox && (() => sandbox));
  let url = '';
  const addresses = () => ({ own: url, public: config.publicUrl });
  const engine = await startEngine({ config, store, assets, io, catalogue, log, addresses });
  opened.push(() => engine.close());
  const assetsUrl = () => `${config.publicUrl ?? url}/v1/assets`;
  const files = await openFiles(join(config.assetsDir, 'files'));
  const directory = join(config.assetsDir, 'batches');
  const lookahead = Math.ceil(Math.min(BATCH_LOOKAHEAD, config.queue.maxQueuedPerKey / 2));
  const batches = await createBatches({
    ...engine,
    ...{ store, files, directory, assets, assetsUrl, io, config, log, lookahead },
  });
  const secretOf = createWebhookSecrets({
    cells: store,
    configured: (caller) => config.webhooks.callers[caller]?.secret,
  });
  let deliverer: WebhookDeliverer | undefined;
  // After the worker: what ends while it stops is still told.
  opened.push(async () => deliverer?.stop());
  const refresh = startModelRefresh({ catalogue, io, log });
  opened.push(async () => refresh.stop());
  const app = await createApp({
    ...engine,
    listed: refresh.listed,
    ...{ config, store, assets, files, batches, io, catalogue, log },
    fetchImage: createDownloader({ io }),
    sandboxUrl: () => sandbox?.url,
    assetsUrl,
    secretOf,
  });
  opened.push(() => closeServer(app, engine));
  await app.listen({ host: config.host, port: config.port });
  url = addressOf(app.server.address(), config.host);
  opened.push(() => batches.stop());
  await batches.start();
  const payload = async (id: string) => {
    const stored = await store.read(id);
    return stored && taskView(stored, { assetsUrl: assetsUrl() });
  };
  const { allowPrivate } = config.webhooks;
  deliverer = createWebhookDeliverer({ store, io, payload, secretOf, allowPrivate, log });
  const onError = (err: unknown) => log.error({ err }, 'retention failed');
  const stopRetention = startRetention({ store, assets, io, ...config.retention, onError });
  opened.push(async () => stopRetention());
  return { url, catalogue, ...(sandbox && { sandbox }) };
}

/** Together: the server waits for answers, and answers wait for what the worker parks or lets end. */
async function closeServer(app: FastifyInstance, engine: Awaited<ReturnType<typeof startEngine>>): Promise<void> {
  const closing = app.close();
  await engine.quiesce();
  await engine.worker.stop(STOP_GRACE_MS);
  const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
  // A connection whose answer ended since the server began to close stays open for its caller's next request.
  const hangUp = setInterval(() => app.server.closeIdleConnections(), HANG_UP_EVERY_MS);
  await closing;
  clearInterval(hangUp);
  clearTimeout(cut);
}

function openStore({ databaseUrl, dataDir }: Config) {
  return databaseUrl === undefined
    ? openSqliteStore({ path: join(dataDir, 'onetake.db') })
    : openPostgresStore({ url: databaseUrl });
}

/** Where this machine reaches what was bound; bound to every address, loopback is one of them. */
function addressOf(address: ReturnType<Server['address']>, host: string): string {
  const port = typeof address === 'object' ? address?.port : undefined;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
