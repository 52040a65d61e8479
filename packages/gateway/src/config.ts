import type { ConfiguredRules, Limits, Route } from '@onetake/core';
import { type AlertConfig, readAlerts } from './config/alerts.ts';
import { type CacheConfig, readCachedRoutes } from './config/cache.ts';
import { type ChatConfig, chatConfig } from './config/chat.ts';
import { type RouteDegrade, readDegrade } from './config/degrade.ts';
import { type Caller, type Environment, readEnvironment } from './config/environment.ts';
import { locateFile, readConfigFile } from './config/file.ts';
import { type LogConfig, readLog } from './config/log.ts';
import type { MetricsConfig } from './config/metrics.ts';
import { type ModelOverrides, readModels } from './config/models.ts';
import { readRules } from './config/prompt-rules.ts';
import { type ProviderConfig, readProviders } from './config/providers.ts';
import { ConfigError, type Report } from './config/report.ts';
import { checkDefaultModels, readRoutes } from './config/routes.ts';
import { readTelemetry, type TelemetryConfig } from './config/telemetry.ts';
import { readWebhooks, type WebhookConfig } from './config/webhooks.ts';

export type { Caller, Environment } from './config/environment.ts';
export type { ProviderConfig } from './config/providers.ts';
export { ConfigError } from './config/report.ts';
export type { WebhookConfig } from './config/webhooks.ts';

/**
 * Everything that was decided before the gateway starts. Plain data; secrets are only `secret`, `key`, `adminKey` and the
 * `url` of an alert's channel.
 */
export interface Config extends ModelOverrides {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly openaiTier?: number;
  /** Absolute; the nodes of a cluster share it. */
  readonly assetsDir: string;
  /** A PostgreSQL that several gateways share; holds a password. */
  readonly databaseUrl?: string;
  /** Where callers reach the gateway from outside, without a trailing slash. */
  readonly publicUrl?: string;
  /** Empty means that everybody on this machine is one caller. */
  readonly callers: readonly Caller[];
  /** The key that administers; without one the gateway makes its own. */
  readonly adminKey?: string;
  /** Those that can be called, in the order bare model names ask them; the sandbox is not among them. */
  readonly providers: readonly ProviderConfig[];
  /** Has no prototype. */
  readonly routes: Readonly<Record<string, Route>>;
  /** What routes show where nothing can be made, by route; has no prototype. */
  readonly degrade: Readonly<Record<string, RouteDegrade>>;
  readonly defaultModel?: string;
  readonly defaultChatModel?: string;
  readonly chat: ChatConfig;
  /** What prompts are held against. */
  readonly promptRules: ConfiguredRules;
  /** Names of retired models are served by their successors. */
  readonly aliases: boolean;
  readonly sandbox: boolean;
  readonly retention: { readonly days: number; readonly bytes: number; readonly ledgerDays: number };
  readonly cache: CacheConfig;
  /** Room for smaller pictures and other formats, made when they are asked for. */
  readonly previews: { readonly bytes: number };
  readonly corsOrigins: readonly string[];
  readonly metrics: MetricsConfig;
  readonly webhooks: WebhookConfig;
  /** What is watched, and where it is told; the addresses are secrets. */
  readonly alerts: AlertConfig;
  /** Where spans and metrics go; absent where nobody wants them. */
  readonly telemetry?: TelemetryConfig;
  readonly log: LogConfig;
  /** What providers allow, by target or `provider/*`. */
  readonly limits: Readonly<Record<string, Limits>>;
  readonly queue: { readonly maxQueued: number; readonly maxQueuedPerKey: number; readonly maxRunningPerKey: number };
  readonly bodyLimitBytes: number;
  /** How long a result that reached nobody waits for its caller's next identical request. */
  readonly attachWindowMs: number;
  /** What the person who starts the gateway should know. */
  readonly notices: readonly string[];
}

export interface ConfigOptions {
  readonly env: Environment;
  readonly cwd: string;
  /** Default: `ONETAKE_CONFIG`, else `onetake.yaml` in `cwd` if it is there. */
  readonly file?: string;
}

/** Reads environment and file. Throws one `ConfigError` that lists every fault. */
export function loadConfig({ env, cwd, file: told }: ConfigOptions): Config {
  const report: Report = { faults: [], notices: [] };
  const file = readConfigFile(locateFile(cwd, told ?? env.ONETAKE_CONFIG), report);
  const own = readEnvironment(env, cwd, report);
  const providers = readProviders(file, env, cwd, own, report);
  const overrides = readModels(file.models, providers, report);
  const routes = readRoutes(file, { providers, ...overrides }, report);
  const degrade = readDegrade(file, cwd, report);
  const promptRules = readRules(file.prompt_rules, cwd, report);
  const webhooks = readWebhooks(file, { env, cwd, callers: own.callers, report });
  const alerts = readAlerts(file, { env, cwd, report });
  const telemetry = readTelemetry(file.telemetry, env, report);
  const log = readLog(file.log, env, report);
  if (report.faults.length === 0) checkDefaultModels(file, { providers, ...overrides }, report);
  if (report.faults.length > 0) throw new ConfigError(report.faults);
  return {
    ...own,
    providers,
    ...overrides,
    routes,
    promptRules,
    degrade,
    ...(file.default_model !== undefined && { defaultModel: file.default_model }),
    ...(file.default_chat_model !== undefined && { defaultChatModel: file.default_chat_model }),
    chat: chatConfig(file.chat),
    aliases: file.aliases,
    sandbox: file.sandbox,
    retention: {
      days: file.retention.days,
      bytes: file.retention.bytes,
      ledgerDays: file.retention.ledger_days,
    },
    cache: { ...file.cache, routes: readCachedRoutes(file) },
    previews: file.previews,
    corsOrigins: file.cors.origins,
    metrics: file.metrics,
    webhooks,
    ...(telemetry && { telemetry }),
    log,
    alerts,
    limits: file.limits,
    queue: {
      maxQueued: file.queue.max_queued,
      maxQueuedPerKey: file.queue.max_queued_per_key,
      maxRunningPerKey: file.queue.max_running_per_key,
    },
    bodyLimitBytes: file.body_limit_bytes,
    attachWindowMs: file.attach_window_ms,
    notices: report.notices,
  };
}
