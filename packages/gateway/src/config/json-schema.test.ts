import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isObject, type JsonValue } from '@onetake/core';
import { parse } from 'yaml';
import { ConfigError, loadConfig } from '../config.ts';
import { configJsonSchema } from './json-schema.ts';
import { CONFIG_FILE } from './schema.ts';

/** As much of JSON Schema as the schema uses: where a value breaks it, or undefined. */
function breach(schema: JsonValue | undefined, value: JsonValue, path = ''): string | undefined {
  if (!isObject(schema)) return undefined;
  if (Array.isArray(schema.anyOf)) {
    const breaches = schema.anyOf.map((one) => breach(one, value, path));
    if (breaches.every((one) => one !== undefined)) return breaches[0];
  }
  if (schema.const !== undefined && schema.const !== value) return path;
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) return path;
  if (typeof schema.type === 'string' && !isOfType(schema.type, value)) return path;
  if (typeof value === 'string') return textBreach(schema, value) ? path : undefined;
  if (typeof value === 'number') return numberBreach(schema, value) ? path : undefined;
  if (Array.isArray(value)) return listBreach(schema, value, path);
  return isObject(value) ? mapBreach(schema, value, path) : undefined;
}

function isOfType(type: string, value: JsonValue): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

type Schema = Readonly<Record<string, JsonValue | undefined>>;

function textBreach({ pattern, minLength, maxLength }: Schema, value: string): boolean {
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) return true;
  return value.length < Number(minLength ?? 0) || value.length > Number(maxLength ?? Number.POSITIVE_INFINITY);
}

function numberBreach({ minimum, maximum }: Schema, value: number): boolean {
  return value < Number(minimum ?? Number.NEGATIVE_INFINITY) || value > Number(maximum ?? Number.POSITIVE_INFINITY);
}

function listBreach({ items, minItems, maxItems }: Schema, value: readonly JsonValue[], path: string) {
  if (value.length < Number(minItems ?? 0) || value.length > Number(maxItems ?? Number.POSITIVE_INFINITY)) return path;
  return value.map((one, index) => breach(items, one, `${path}.${index}`)).find((one) => one !== undefined);
}

function mapBreach(schema: Schema, value: Readonly<Record<string, JsonValue | undefined>>, path: string) {
  const { properties, additionalProperties, propertyNames, required } = schema;
  const missing = Array.isArray(required) ? required.find((name) => !Object.hasOwn(value, String(name))) : undefined;
  if (missing !== undefined) return path;
  for (const [name, one] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    const own = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (own === undefined && additionalProperties === false) return at;
    if (breach(propertyNames, name) !== undefined) return at;
    const wrong = breach(own ?? additionalProperties, one ?? null, at);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** The faults that the gateway finds in the file; it has a key for OpenAI. */
function faultsOf(yaml: string): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'schema-'));
  try {
    writeFileSync(join(directory, 'onetake.yaml'), yaml);
    loadConfig({ env: { OPENAI_API_KEY: 'sk-of-a-test' }, cwd: directory });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const VALID = `
default_model: best
providers:
  openai: { key_env: [OPENAI_API_KEY, OPENAI_KEY_2] }
  lmstudio:
  lab: { base_url: ["http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"] }
routes:
  best:
    targets: [openai/gpt-image-2]
    payment: strict
    fallback: on
    refusals: { ladder: [same_again, rewrite] }
    degrade: { to: [placeholder] }
  cheap: [openai/gpt-image-2.5-flare]
models:
  lab/x: { price: { per_image_usd: 0.04 } }
limits:
  openai/*: { images: 5/60s, requests: [5/60s, 500/1d], concurrency: 8 }
retention: { days: 3, bytes: 50GB }
cache: { bytes: 1000000000 }
previews:
cors: { origins: ["https://app.example"] }
webhooks: { allow_private: on, keys: { local: { events: [task.completed] } } }
chat: { rewrite_timeout_ms: 1000 }
queue: { max_queued: 10 }
prompt_rules: on
sandbox: true
body_limit_bytes: 64MB
`;

/** Files with one fault, and where it is. */
const INVALID: readonly (readonly [yaml: string, at: string])[] = [
  ['retentoin: {}', 'retentoin'],
  ['retention: { days: 0 }', 'retention.days'],
  ['retention: { bytes: many }', 'retention.bytes'],
  ['body_limit_bytes: [64]', 'body_limit_bytes'],
  ['providers: { openai: { api_key: x } }', 'providers.openai.api_key'],
  ['providers: { openai: { kind: opneai } }', 'providers.openai.kind'],
  ['providers: { openai: { key_env: openai-key } }', 'providers.openai.key_env'],
  ['providers: { "Open AI": {} }', 'providers.Open AI'],
  ['routes: { best: { target: [openai/gpt-image-2] } }', 'routes.best'],
  ['routes: { best: { targets: [openai/gpt-image-2], fallback: maybe } }', 'routes.best.fallback'],
  ['routes: { best: { targets: [] } }', 'routes.best.targets'],
  ['limits: { openai/*: { images: five a minute } }', 'limits.openai/*.images'],
  ['limits: { openai/*: { imgaes: 5/60s } }', 'limits.openai/*.imgaes'],
  ['webhooks: { keys: { local: { events: [task.done] } } }', 'webhooks.keys.local.events.0'],
  ['sandbox: perhaps', 'sandbox'],
  ['queue: { max_queued: -1 }', 'queue.max_queued'],
];

test('a file that the gateway takes is one that the schema takes', () => {
  assert.deepEqual(faultsOf(VALID), []);
  assert.equal(breach(configJsonSchema(), parse(VALID)), undefined);
});

test('what the schema refuses the gateway refuses, at the same place', () => {
  for (const [yaml, at] of INVALID) {
    assert.equal(breach(configJsonSchema(), parse(yaml)), at, yaml);
    assert.ok(
      faultsOf(yaml).some((fault) => fault.startsWith(at)),
      `${yaml}: ${faultsOf(yaml).join('\n')}`,
    );
  }
});

test('every key of the file is in the schema, and nothing is left open by mistake', () => {
  const schema = configJsonSchema();
  assert.deepEqual(Object.keys(isObject(schema.properties) ? schema.properties : {}), Object.keys(CONFIG_FILE.shape));
  assert.equal(schema.additionalProperties, false);
  const open: string[] = [];
  const visit = (value: JsonValue | undefined, path: string) => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) visit(one, `${path}/${index}`);
    if (!isObject(value)) return;
    if (Object.keys(value).length === 0) open.push(path);
    for (const [key, one] of Object.entries(value)) if (key !== 'default') visit(one, `${path}/${key}`);
  };
  visit(schema, '');
  // Facts of models are read by who knows their terms.
  assert.deepEqual(open, ['/properties/models/anyOf/0/additionalProperties/additionalProperties']);
});
