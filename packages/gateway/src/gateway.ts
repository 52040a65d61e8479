import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { type Catalogue, systemIo } from '@onetake/core';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { openAccess } from './access.ts';
import { openAlerts } from './alerts/open.ts';
import { type DiskAssets, openDiskAssets } from './assets/disk.ts';
import { createDownloader } from './assets/download.ts';
import { createTieredAssets } from './assets/tiered.ts';
import { createBatches } from './batches/batches.ts';
import { openFiles } from './batches/files.ts';
import { createJudge } from './candidates/judge.ts';
import { createRanking } from './candidates/ranking.ts';
import { createCandidateSets } from './candidates/sets.ts';
import { createVision, SHOWN_SIDE_PIXELS } from './candidates/vision.ts';
import { catalogueOf } from './catalogue.ts';
import type { Ask } from './chat/ask.ts';
import { checkModelsAsked } from './chat/models-asked.ts';
import { targetVersions } from './config/cache.ts';
import { urlHere } from './config/environment.ts';
import type { Config } from './config.ts';
import { createDegrading } from './degrade/degrading.ts';
import { createPlaceholders } from './degrade/placeholder.ts';
import { storeStaticFiles } from './degrade/static-files.ts';
import { type EngineOptions, startEngine } from './engine.ts';
import { createApp } from './http/app.ts';
import { createStandings } from './http/candidate-wait.ts';
import { createThumbnailUrl } from './http/previews.ts';
import { type TaskViewOptions, taskView } from './http/task-view.ts';
import { logGenerations } from './log/generations.ts';
import { openLog } from './log.ts';
import { openCounting } from './metrics/open.ts';
import { startModelRefresh } from './model-refresh.ts';
import { openMoney } from './money/open.ts';
import { convertKeeping, createConverter } from './pictures/convert.ts';
import { createDecoder, type Decoder } from './pictures/decoder.ts';
import { type Looker, lookThrough } from './pictures/looker.ts';
import { openPreviewFiles, type PreviewFiles } from './pictures/preview-files.ts';
import { createPreviewLinks, openPreviewSecret } from './pictures/preview-links.ts';
import { createPreviews } from './pictures/previews.ts';
import { createShowPicture } from './pictures/shown.ts';
import { type RetentionOptions, startRetention } from './retention.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { createSignals } from './signals/signals.ts';
import { openPostgresStore } from './store/postgres.ts';
import { openSqliteStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { type CacheOptions, createCache, type RequestCache } from './tasks/cache.ts';
import type { Tasks } from './tasks/tasks.ts';
import { openTelemetry } from './tracing/telemetry.ts';
import { createWebhookDeliverer, type WebhookDeliverer } from './webhooks/deliverer.ts';
import { createWebhookSecrets } from './webhooks/secrets.ts';

/** A running gateway. */
export interface Gateway {
  readonly url: string;
  readonly sandbox?: { readonly url: string };
  readonly catalogue: Catalogue;
  /** Keys were made here, and not revoked, before it started. */
  readonly hasKeys: boolean;
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
/** Lines of one batch that are tasks, or asked, at once: enough to use any limit, few enough to leave the queue to others. */
const BATCH_LOOKAHEAD = 256;
const DAY_MS = 86_400_000;

/** Opens the data directory, takes up what an earlier process left, and listens. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  /** What is open, closed again in reverse: at the end, or when a later step fails, such as a port that is taken. */
  const opened: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeOne of opened.splice(0).toReversed()) await closeOne();
  };
  try {
    return { ...(await open(config, options.log ?? openLog(config.log), opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(config: Config, log: Logger, opened: (() => Promise<unknown>)[]): Promise<Omit<Gateway, 'close'>> {
  const ground = await openGround(config, log, opened);
  const { store, sandbox, io, assets, access, catalogue, refresh, signals } = ground;
  const counting = openCounting({ config, store, keys: access.keys, io, signals });
  const watched = { signals, log, now: io.now, catalogue, registry: counting.metrics };
  await openTelemetry(config.telemetry, watched, opened);
  const cache = openCache(config, { store, assets, io, log }, opened);
  let url = '';
  const addresses = () => ({ own: url, public: config.publicUrl });
  // One for all: more would decode more at once than the threads of the process allow.
  const decoder = createDecoder({ assets, io });
  const looker = lookThrough(decoder);
  const convert = convertKeeping(createConverter(decoder, assets));
  const { money, answeredBook } = openMoney({ store, keys: access.keys, io, log }, opened);
  const parts = { config, store, assets, cache, money, io, catalogue, log, signals };
  const engine = await startEngine({ ...parts, addresses, looker, convert });
  opened.push(() => engine.close());
  const assetsUrl = () => `${config.publicUrl ?? url}/v1/assets`;
  const previewing = await openPreviews(config, { store, assets, decoder, io, log });
  const thumbnailUrl = createThumbnailUrl(previewing.links, assetsUrl);
  const degrade = await openDegrading(config, { store, assets, log });
  const files = await openFiles(join(config.assetsDir, 'files'));
  const directory = join(config.assetsDir, 'batches');
  const lookahead = Math.ceil(Math.min(BATCH_LOOKAHEAD, config.queue.maxQueuedPerKey / 2));
  const batches = await createBatches({
    ...engine,
    ...{ store, files, directory, assets, assetsUrl, io, config, log, lookahead, catalogue },
    keys: access.keys,
  });
  const { callers: configured, allowPrivate } = config.webhooks;
  const secretOf = createWebhookSecrets({ cells: store, configured: (caller) => configured[caller]?.secret });
  let deliverer: WebhookDeliverer | undefined;
  // After the worker: what ends while it stops is still told.
  opened.push(async () => deliverer?.stop());
  const app = await createApp({
    ...engine,
    ...openCandidates(config, { ...engine, store, io, log, looker, decoder }),
    ...{ listed: refresh.listed, modelsOf: refresh.models, ...counting },
    ...openAlerts(config, { ...engine, ...ground, ...counting, log }, opened),
    ...{ config, store, assets, cache, files, batches, io, catalogue, log, signals, ...access, answeredBook },
    fetchImage: createDownloader({ io }),
    degrade,
    sandboxUrl: () => sandbox?.url,
    ...{ addresses, assetsUrl, thumbnailUrl, previewing, secretOf },
  });
  opened.push(() => closeServer(app, engine));
  await app.listen({ host: config.host, port: config.port });
  url = addressOf(app.server.address(), config.host);
  opened.push(() => batches.stop());
  await batches.start();
  const payload = payloads(store, () => ({ assetsUrl: assetsUrl(), thumbnailUrl }));
  deliverer = createWebhookDeliverer({ store, io, secretOf, log, allowPrivate, payload });
  opened.push(startRetaining(config, { store, io, log, assets: withPreviews(assets, previewing.files) }));
  return { url, catalogue, hasKeys: access.keys.areInUse(), ...(sandbox && { sandbox }) };
}

/** What everything else stands on: where things are kept, who may call, whom we call, and who watches. */
async function openGround(config: Config, log: Logger, opened: (() => Promise<unknown>)[]) {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const store = await openStore(config);
  opened.push(() => store.close());
  const sandbox = config.sandbox ? await startSandboxProcess(join(config.dataDir, 'sandbox')) : undefined;
  if (sandbox) opened.push(() => sandbox.stop());
  const io = systemIo();
  opened.push(() => io.close());
  const assets = await openAssets(config, store, io);
  const access = await openAccess(config, { store, io, log });
  opened.push(() => access.close());
  const lists = (provider: string, model: string) => refresh.listed(`${provider}/${model}`) !== undefined;
  const catalogue = catalogueOf(config, sandbox && (() => sandbox), lists);
  checkModelsAsked(config.chat, catalogue);
  const refresh = startModelRefresh({ catalogue, io, log });
  opened.push(async () => refresh.stop());
  const signals = createSignals(log);
  logGenerations(signals, log);
  return { store, sandbox, io, assets, access, catalogue, refresh, signals };
}

async function openAssets(
  { assetsDir }: Config,
  { ownership, smallPictures: small }: Awaited<ReturnType<typeof openStore>>,
  { now }: EngineOptions['io'],
) {
  const files = await openDiskAssets(assetsDir, { shared: ownership === 'shared' });
  return createTieredAssets({ files, small, now });
}

/** What a webhook tells of a generation, as it stands when it is told. */
function payloads(store: Pick<Store, 'read'>, links: () => TaskViewOptions) {
  return async (id: string) => {
    const stored = await store.read(id);
    return stored && taskView(stored, links());
  };
}

interface PreviewParts extends Pick<EngineOptions, 'store' | 'io' | 'log'> {
  readonly assets: DiskAssets;
  readonly decoder: Decoder;
}

async function openPreviews({ assetsDir, previews }: Config, { store, assets, decoder, io, log }: PreviewParts) {
  const maxBytes = previews.bytes;
  const files = await openPreviewFiles({ directory: join(assetsDir, 'previews'), maxBytes, now: io.now });
  const onError = (err: unknown) => log.error({ err }, 'a preview could not be kept');
  const links = createPreviewLinks(await openPreviewSecret(store));
  return { files, links, previews: createPreviews({ assets, decoder, files, onError }) };
}

/** With a picture goes what was made from it. */
function withPreviews(assets: DiskAssets, previews: PreviewFiles): Pick<DiskAssets, 'remove'> {
  return {
    async remove(asset, options) {
      await assets.remove(asset, options);
      await previews.forget(asset.hash);
    },
  };
}

interface CandidateParts extends Pick<EngineOptions, 'store' | 'io' | 'log'> {
  readonly tasks: Tasks;
  readonly looker: Looker;
  readonly decoder: Decoder;
  readonly ask: Ask;
}

function openCandidates({ retention, chat }: Config, { store, io, log, tasks, looker, decoder, ask }: CandidateParts) {
  const onError = (err: unknown) => log.error({ err }, 'candidates could not be ranked by their scorer');
  const candidateSets = createCandidateSets({
    ...{ cells: store, io, keepMs: retention.days * DAY_MS },
    idempotencyMs: DAY_MS,
  });
  const show = createShowPicture(decoder, SHOWN_SIDE_PIXELS);
  const { judgeModel: model, judgeTimeoutMs: timeoutMs } = chat;
  const vision = model === undefined ? undefined : createVision({ ask, show, model, timeoutMs });
  const ranking = vision && createRanking({ vision, sets: candidateSets, io, onError });
  return { candidateSets, standings: createStandings({ tasks, judge: createJudge({ looker, onError }), ranking }) };
}

function startRetaining(
  { retention }: Config,
  { log, ...parts }: Pick<RetentionOptions, 'store' | 'assets' | 'io'> & { readonly log: Logger },
): () => Promise<void> {
  const onError = (err: unknown) => log.error({ err }, 'retention failed');
  const stop = startRetention({ ...parts, ...retention, onError });
  return async () => stop();
}

function openCache(
  { cache: { bytes, days }, providers }: Config,
  { log, ...parts }: Pick<CacheOptions, 'store' | 'assets' | 'io'> & { readonly log: Logger },
  opened: (() => Promise<unknown>)[],
): RequestCache {
  const limits = { bytes, maxAgeMs: days * DAY_MS };
  const onError = (err: unknown) => log.error({ err }, 'the cache could not be read or written');
  const cache = createCache({ ...parts, limits, versionOf: targetVersions(providers), onError });
  // After the engine, whose last generations are still kept.
  opened.push(() => cache.close());
  return cache;
}

async function openDegrading(
  { degrade: routes }: Config,
  { store, assets, log }: { readonly store: Store; readonly assets: DiskAssets; readonly log: Logger },
) {
  const files = await storeStaticFiles(routes, assets);
  const onError = (err: unknown) => log.error({ err }, 'what stands in for a picture could not be had');
  return createDegrading({ routes, files, store, assets, placeholder: createPlaceholders(assets), onError });
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

/** Where this machine reaches what was bound. */
function addressOf(address: ReturnType<Server['address']>, host: string): string {
  return urlHere(host, (typeof address === 'object' ? address?.port : undefined) ?? 0);
}
