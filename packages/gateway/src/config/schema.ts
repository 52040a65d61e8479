import { z } from 'zod';
import { DEGRADE_KINDS } from '../degrade/kinds.ts';
import { WEBHOOK_EVENTS } from '../webhooks/endpoint.ts';
import { alertKeys, alerts } from './alert-schema.ts';
import { chat } from './chat.ts';
import { MAX_HOSTS } from './hosts.ts';
import { LIMIT_KEYS, limits, queue } from './limit-schema.ts';
import { log } from './log.ts';
import { metrics } from './metrics.ts';
import { KINDS } from './protocols.ts';
import { promptRules, REFUSAL_KEYS, refusals } from './refusal-schema.ts';
import { parseBytes } from './sizes.ts';
import { telemetry } from './telemetry.ts';

const MAX_TIMEOUT_MS = 86_400_000;
const MAX_PAID_ATTEMPTS = 10;
const MAX_TARGETS = 32;
const MAX_ROUTES = 1_000;
const MAX_PROVIDERS = 100;
const MAX_ORIGINS = 100;
const MAX_KEYS = 100;
const MAX_MODELS = 1_000;
const MAX_WEBHOOK_KEYS = 1_000;
const MAX_RETENTION_DAYS = 36_500;
const MAX_BODY_BYTES = 1024 ** 3;
const MIN_BODY_BYTES = 1024;
const MIB = 1024 ** 2;
const MIN_PREVIEW_BYTES = 1e6;

/** The text given as `error` is what was expected; `file.ts` adds the path and what came instead. */
const text = (expected: string) =>
  z.string({ error: expected }).min(1, { error: expected }).max(1_000, { error: expected });

const whole = (from: number, to: number, unit: string) => {
  const error = `a whole number of ${unit} from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};

const bytes = (from: number, to: number) => {
  const error = `a size from ${from} to ${to} bytes, such as 64000000, 64MB or 50GB`;
  return z.unknown().transform((value, context) => {
    const read = parseBytes(value);
    if (read !== undefined && read >= from && read <= to) return read;
    context.addIssue({ code: 'custom', message: error, input: value });
    return z.NEVER;
  });
};

const milliseconds = whole(1, MAX_TIMEOUT_MS, 'milliseconds');

/** YAML 1.2 reads `on` as a string, older tools write it as a boolean. */
const onOff = z
  .union([z.boolean(), z.enum(['on', 'off'])], { error: 'on or off' })
  .transform((value) => value === true || value === 'on');

const map = 'a map';

const ADDRESSES = `an http or https address, a list of up to ${MAX_HOSTS} of them, or sandbox`;

const variableName = z.string().regex(/^[A-Z_][A-Z0-9_]{0,99}$/);

const provider = z.strictObject(
  {
    kind: z.enum(KINDS, { error: `one of ${KINDS.join(', ')}` }).exactOptional(),
    image_api: z.enum(['images', 'responses'], { error: 'images or responses' }).exactOptional(),
    key_env: z
      .union([variableName, z.array(variableName).min(1).max(MAX_KEYS)], { error: 'a variable, or a list of them' })
      .exactOptional(),
    key_file: text('the path of a file').exactOptional(),
    base_url: z
      .union(
        [text(ADDRESSES), z.array(text(ADDRESSES)).min(1, { error: ADDRESSES }).max(MAX_HOSTS, { error: ADDRESSES })],
        { error: ADDRESSES },
      )
      .exactOptional(),
    workflows: z
      .record(z.string().regex(/^\S{1,200}$/), text('the path of a JSON file'), { error: 'a map of model names' })
      .exactOptional(),
    checkpoint: text('the file name of a checkpoint').exactOptional(),
  },
  { error: map },
);

const degrade = z.strictObject(
  {
    to: z
      .array(z.enum(DEGRADE_KINDS, { error: `one of ${DEGRADE_KINDS.join(', ')}` }), { error: 'a list' })
      .min(1, { error: `at least one of ${DEGRADE_KINDS.join(', ')}` })
      .max(DEGRADE_KINDS.length, { error: `at most ${DEGRADE_KINDS.length} entries` })
      .exactOptional(),
    file: text('the path of a picture').exactOptional(),
  },
  { error: map },
);

const route = z.strictObject(
  {
    targets: z
      .array(text('provider/model'), { error: 'a list of provider/model' })
      .min(1, { error: 'at least one provider/model' })
      .max(MAX_TARGETS, { error: `at most ${MAX_TARGETS} targets` }),
    payment: z.enum(['strict', 'standard', 'available'], { error: 'strict, standard or available' }).exactOptional(),
    max_paid_attempts: whole(1, MAX_PAID_ATTEMPTS, 'attempts').exactOptional(),
    fallback: onOff.exactOptional(),
    strict: onOff.exactOptional(),
    prompt_rules: onOff.exactOptional(),
    refusals: refusals.exactOptional(),
    suspect: z.enum(['accept', 'retry_new_seed', 'fail'], { error: 'accept, retry_new_seed or fail' }).exactOptional(),
    output_mismatch: z.enum(['convert', 'rename', 'fail'], { error: 'convert, rename or fail' }).exactOptional(),
    total_timeout_ms: milliseconds.exactOptional(),
    first_byte_timeout_ms: milliseconds.exactOptional(),
    stall_timeout_ms: milliseconds.exactOptional(),
    idle_timeout_ms: milliseconds.exactOptional(),
    connect_timeout_ms: milliseconds.exactOptional(),
    harvest_ms: milliseconds.exactOptional(),
    negative_prompt: z.literal('default', { error: 'default' }).exactOptional(),
    degrade: degrade.exactOptional(),
    cache: onOff.exactOptional(),
  },
  { error: map },
);

const retention = z.strictObject(
  {
    days: whole(1, MAX_RETENTION_DAYS, 'days').default(30),
    bytes: bytes(1, Number.MAX_SAFE_INTEGER).default(50e9),
    ledger_days: whole(1, MAX_RETENTION_DAYS, 'days').default(400),
  },
  { error: map },
);

const previews = z.strictObject(
  { bytes: bytes(MIN_PREVIEW_BYTES, Number.MAX_SAFE_INTEGER).default(1e9) },
  { error: map },
);

const cache = z.strictObject(
  {
    bytes: bytes(1, Number.MAX_SAFE_INTEGER).default(1e9),
    days: whole(1, MAX_RETENTION_DAYS, 'days').default(30),
  },
  { error: map },
);

const cors = z.strictObject(
  {
    origins: z
      .array(
        z
          .string({ error: 'an origin' })
          .refine(isOrigin, { error: 'an exact origin such as https://app.example, without a path or *' }),
        { error: 'a list of origins' },
      )
      .max(MAX_ORIGINS, { error: `at most ${MAX_ORIGINS} origins` })
      .default([]),
  },
  { error: map },
);

/** How the tasks of one caller are told of; its rules about addresses and secrets are in `webhooks.ts`. */
const webhookKey = z.strictObject(
  {
    url: z.string({ error: 'an absolute http or https URL' }).exactOptional(),
    secret_env: variableName.exactOptional(),
    secret_file: text('the path of a file').exactOptional(),
    events: z
      .array(z.enum(WEBHOOK_EVENTS, { error: `one of ${WEBHOOK_EVENTS.join(', ')}` }), { error: 'a list of events' })
      .min(1, { error: 'at least one event' })
      .max(WEBHOOK_EVENTS.length, { error: `at most ${WEBHOOK_EVENTS.length} events` })
      .exactOptional(),
  },
  { error: map },
);

const ids = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { error: 'a provider id of lower-case letters, digits and dashes' });
const names = z.string().regex(/^\S{1,200}$/, { error: 'a route name of 1 to 200 characters without spaces' });
const bounded = (most: number) =>
  [(value: object) => Object.keys(value).length <= most, { error: `at most ${most} entries` }] as const;

const webhooks = z.strictObject(
  {
    allow_private: onOff.default(false),
    keys: z
      .record(
        z.string().regex(/^\S{1,200}$/, { error: 'the name of a caller' }),
        z.preprocess((value) => value ?? {}, webhookKey),
        { error: "a map of callers' names" },
      )
      .refine(...bounded(MAX_WEBHOOK_KEYS))
      .default({}),
  },
  { error: map },
);

const sections = {
  queue,
  chat,
  providers: provider,
  routes: route,
  retention,
  cache,
  previews,
  cors,
  webhooks,
  metrics,
  telemetry,
  log,
};

/** What `onetake.yaml` may say. Every key is optional. */
export const CONFIG_FILE = z.strictObject(
  {
    default_model: text('a model or route name').exactOptional(),
    default_chat_model: text('a model or route name').exactOptional(),
    providers: z
      .record(
        ids,
        z.preprocess((value) => value ?? {}, provider),
        { error: 'a map of provider ids' },
      )
      .refine(...bounded(MAX_PROVIDERS))
      .default({}),
    routes: z
      .record(
        names,
        z.preprocess((value) => (Array.isArray(value) ? { targets: value } : value), route),
        {
          error: 'a map of route names',
        },
      )
      .refine(...bounded(MAX_ROUTES))
      .default({}),
    models: z
      .record(
        z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}\/\S{1,200}$/, { error: 'provider/model' }),
        z.record(z.string(), z.unknown(), { error: map }),
        { error: 'a map of provider/model' },
      )
      .refine(...bounded(MAX_MODELS))
      .default({}),
    retention: retention.prefault({}),
    cache: cache.prefault({}),
    previews: previews.prefault({}),
    cors: cors.prefault({}),
    limits,
    queue: queue.prefault({}),
    chat: chat.prefault({}),
    metrics: metrics.prefault({}),
    webhooks: webhooks.prefault({}),
    alerts: alerts.prefault({}),
    telemetry: telemetry.prefault({}),
    log: log.prefault({}),
    prompt_rules: promptRules.default('off'),
    aliases: onOff.default(true),
    sandbox: onOff.default(true),
    body_limit_bytes: bytes(MIN_BODY_BYTES, MAX_BODY_BYTES).default(64 * MIB),
    attach_window_ms: whole(0, MAX_TIMEOUT_MS, 'milliseconds').default(900_000),
  },
  { error: map },
);

export type ConfigFile = z.infer<typeof CONFIG_FILE>;
export type ProviderEntry = ConfigFile['providers'][string];
export type RouteEntry = ConfigFile['routes'][string];

/** The keys that may stand in the map at `path`. */
export function knownKeys([section, ...inside]: readonly PropertyKey[]): readonly string[] {
  if (section === 'webhooks' && inside.length > 0) return Object.keys(webhookKey.shape);
  if (section === 'alerts') return alertKeys(inside);
  if (section === 'routes' && inside[1] === 'degrade') return Object.keys(degrade.shape);
  if (section === 'limits') return LIMIT_KEYS;
  if (section === 'routes' && inside[1] === 'refusals') return REFUSAL_KEYS;
  const schema = section === undefined ? CONFIG_FILE : sections[section as keyof typeof sections];
  return Object.keys(schema.shape);
}

function isOrigin(value: string): boolean {
  const { origin, protocol } = URL.parse(value) ?? {};
  return origin === value && (protocol === 'http:' || protocol === 'https:');
}
