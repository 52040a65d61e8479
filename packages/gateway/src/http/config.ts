import { join } from 'node:path';
import type { Catalogue, JsonObject, JsonValue } from '@onetake/core';
import type { AlertConfig } from '../config/alerts.ts';
import type { CallerWebhook } from '../config/webhooks.ts';
import type { Config, ProviderConfig } from '../config.ts';
import { adminKeyPath } from '../keys/admin-key.ts';
import { readDatabaseUrl } from '../store/postgres/connection.ts';
import { limitsView } from './model-limits.ts';

/** `GET /v1/config`: what this gateway was started with. */
export function readConfig({ config, catalogue }: { readonly config: Config; readonly catalogue: Catalogue }) {
  const view = configView(config, catalogue);
  return () => view;
}

/**
 * The configuration in force, in the words of `onetake.yaml`, with what was left out as it is by default. Where a key
 * belongs stands what holds it; no key, password or secret is in it.
 */
export function configView(config: Config, { defaultModel }: Pick<Catalogue, 'defaultModel'>): JsonObject {
  const { publicUrl, databaseUrl, openaiTier, defaultChatModel } = config;
  return {
    object: 'config',
    host: config.host,
    port: config.port,
    data: config.dataDir,
    database:
      databaseUrl === undefined
        ? join(config.dataDir, 'onetake.db')
        : `postgres://${readDatabaseUrl(databaseUrl).name}`,
    assets: config.assetsDir,
    public_url: publicUrl ?? null,
    callers: config.callers.map(({ name }) => ({ name, key: 'ONETAKE_API_KEYS' })),
    admin_key: config.adminKey === undefined ? adminKeyPath(config.dataDir) : 'ONETAKE_ADMIN_KEY',
    openai_tier: openaiTier ?? null,
    default_model: defaultModel ?? null,
    default_chat_model: defaultChatModel ?? null,
    providers: Object.fromEntries(config.providers.map((one) => [one.id, providerView(one)])),
    routes: routesView(config),
    models: [config.models, config.chatModels].flatMap(targetsIn),
    limits: limitViews(config),
    queue: snakeCase(config.queue),
    chat: snakeCase(config.chat),
    webhooks: {
      allow_private: config.webhooks.allowPrivate,
      keys: Object.fromEntries(Object.entries(config.webhooks.callers).map(([name, one]) => [name, webhookView(one)])),
    },
    ...{ retention: snakeCase(config.retention), previews: { ...config.previews } },
    cache: { bytes: config.cache.bytes, days: config.cache.days },
    cors: { origins: config.corsOrigins },
    metrics: { open: config.metrics.open },
    telemetry: telemetryView(config),
    log: { level: config.log.level, format: config.log.format ?? 'pretty in a terminal, else json' },
    alerts: alertsView(config.alerts),
    prompt_rules: config.promptRules.everywhere ? `on: ${config.promptRules.rules.rules.length} rules` : 'off',
    ...{ aliases: config.aliases, sandbox: config.sandbox },
    body_limit_bytes: config.bodyLimitBytes,
    attach_window_ms: config.attachWindowMs,
    notices: config.notices,
  };
}

function telemetryView({ telemetry }: Config): JsonValue {
  if (telemetry === undefined) return 'off';
  const { endpoint, headers, serviceName, traces, metrics, prompts, propagate } = telemetry;
  const what = { service_name: serviceName, traces, metrics, prompts, propagate };
  return { otlp_endpoint: endpoint, headers: Object.keys(headers), ...what };
}

function limitViews({ limits }: Config): JsonObject {
  return Object.fromEntries(Object.entries(limits).map(([target, one]) => [target, snakeCase(limitsView(one))]));
}

function providerView({ kind, baseUrl, hosts, pool, keySource, played, workflows }: ProviderConfig): JsonObject {
  const addresses = hosts === undefined ? baseUrl : Object.values(hosts);
  return {
    kind,
    base_url: played === undefined ? addresses : `sandbox${played.script === undefined ? '' : `:${played.script}`}`,
    key: keySource ?? null,
    ...(pool && { keys: Object.keys(pool).length }),
    ...(workflows && { workflows: true }),
  };
}

function routesView({ routes, degrade }: Config): JsonObject {
  const views = Object.entries(routes).map(([name, { targets, policy }]) => {
    const shown = degrade[name];
    return [name, { targets, ...objectOf(snakeCase(policy)), ...(shown && { degrade: snakeCase(shown) }) }];
  });
  return Object.fromEntries(views);
}

/** Of a channel only what it is called: all of its address may be what lets somebody write there. */
function alertsView({ rules, channels, everyMs, recoverAfterMs, remindersMs }: AlertConfig): JsonObject {
  return {
    rules: Object.fromEntries(Object.entries(rules).map(([name, { levels }]) => [name, levels[0].at])),
    channels: channels.map(({ name, kind }) => ({ name, kind })),
    ...{ every_ms: everyMs, recover_after_ms: recoverAfterMs, reminders_ms: remindersMs },
  };
}

/** The rest of an address may be what lets a caller in. */
function webhookView({ url, events, secret }: CallerWebhook): JsonObject {
  return {
    url: url === undefined ? null : `${new URL(url).origin}/…`,
    ...(events && { events }),
    secret: secret === undefined ? 'made by the gateway' : 'configured',
  };
}

function targetsIn(known: Readonly<Record<string, Readonly<Record<string, unknown>>>>): readonly string[] {
  return Object.entries(known).flatMap(([provider, models]) =>
    Object.keys(models).map((model) => `${provider}/${model}`),
  );
}

function objectOf(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** Plain data with its keys in the words of the file. */
function snakeCase(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, one]) => [
      key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
      snakeCase(one),
    ]);
    return Object.fromEntries(pairs);
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
