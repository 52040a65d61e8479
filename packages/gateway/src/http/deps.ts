import type { Catalogue, HealthBook, Io, JsonObject, Limits, Pacer } from '@onetake/core';
import type { Logger } from 'pino';
import type { Addresses } from '../addresses.ts';
import type { Alerts } from '../alerts/alerts.ts';
import type { DiskAssets } from '../assets/disk.ts';
import type { FetchImage } from '../assets/download.ts';
import type { Batches } from '../batches/batches.ts';
import type { Files } from '../batches/files.ts';
import type { CandidateSets } from '../candidates/sets.ts';
import type { Chats } from '../chat/chats.ts';
import type { Config } from '../config.ts';
import type { Degrade } from '../degrade/degrading.ts';
import type { ManagedKeys } from '../keys/keys.ts';
import type { Sessions } from '../keys/session.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ModelRefresh } from '../model-refresh.ts';
import type { AnsweredBook } from '../money/answered-before.ts';
import type { Recent } from '../now/recent.ts';
import type { Stored } from '../now/stored.ts';
import type { Signals } from '../signals/signals.ts';
import type { Store } from '../store/store.ts';
import type { TargetOperations } from '../targets/operate.ts';
import type { RequestCache } from '../tasks/cache.ts';
import type { Generations } from '../tasks/generations.ts';
import type { JobNews } from '../tasks/job-news.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { Undelivered } from '../tasks/undelivered.ts';
import type { Worker } from '../tasks/worker.ts';
import type { SecretOf } from '../webhooks/secrets.ts';
import type { IdentifyCaller } from './callers.ts';
import type { Standings } from './candidate-wait.ts';
import type { Deliveries } from './delivery.ts';
import type { PreviewDeps, ThumbnailUrl } from './previews.ts';
import type { LimitRate } from './rate-limit.ts';

/** Everything the HTTP edge stands on. */
export interface AppDeps {
  readonly config: Config;
  readonly store: Store;
  readonly assets: DiskAssets;
  readonly io: Io;
  /** The keys that were made here. */
  readonly keys: ManagedKeys;
  readonly identify: IdentifyCaller;
  /** Of who showed an administrator's key to the page. */
  readonly sessions: Sessions;
  /** A session of the administrator's key; undefined where there is no such key. */
  readonly adminSession: () => string | undefined;
  readonly limitRate: LimitRate;
  readonly health: HealthBook;
  /** What an operator does to targets by hand. */
  readonly targetOperations: TargetOperations;
  readonly catalogue: Catalogue;
  readonly cache: RequestCache;
  readonly worker: Worker;
  readonly generations: Generations;
  readonly chats: Chats;
  readonly tasks: Tasks;
  readonly files: Files;
  readonly batches: Batches;
  /** What providers say of their jobs. */
  readonly news: JobNews;
  readonly pacer: Pacer;
  /** What holds at a target now, as far as it is known. */
  readonly limitsAt: (target: string) => Limits | undefined;
  /** What a target's provider lists of it. */
  readonly listed: ModelRefresh['listed'];
  readonly modelsOf: ModelRefresh['models'];
  readonly undelivered: Undelivered;
  readonly deliveries: Deliveries;
  readonly fetchImage: FetchImage;
  /** What is shown where nothing could be made. */
  readonly degrade: Degrade;
  readonly answeredBook: AnsweredBook;
  readonly candidateSets: CandidateSets;
  /** How the candidates of a set stand. */
  readonly standings: Standings;
  /** What a caller's webhooks are signed with. */
  readonly secretOf: SecretOf;
  /** Where the sandbox listens now; undefined without one. */
  readonly sandboxUrl: () => string | undefined;
  /** Where this gateway is reached. */
  readonly addresses: () => Addresses;
  /** Links to pictures begin with this; built on the public URL, never on the Host header. */
  readonly assetsUrl: () => string;
  /** Links to thumbnails, where pictures have them. */
  readonly thumbnailUrl: ThumbnailUrl;
  /** Pictures smaller and in other formats. */
  readonly previewing: Pick<PreviewDeps, 'previews' | 'links'>;
  /** What ended here lately. */
  readonly recent: Recent;
  /** What only the store knows of how things stand, asked seldom. */
  readonly stored: Stored;
  readonly metrics: Metrics;
  /** When so many pictures more of this queue would have begun, in ms; undefined where nobody knows. */
  readonly etaMs: (queue: string, pictures: number) => number | undefined;
  readonly alerts: Alerts;
  /** The alerts that are not ok, as `GET /v1/alerts` lists them. */
  readonly alertRows: () => Promise<readonly JsonObject[]>;
  readonly log: Logger;
  /** What happens in this process. */
  readonly signals: Pick<Signals, 'on'>;
}
