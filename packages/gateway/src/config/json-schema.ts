import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { z } from 'zod';
import { CONFIG_FILE } from './schema.ts';

const SIZE: JsonValue = {
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', pattern: '^\\d+(\\.\\d+)? ?([KMGTkmgt]?[Bb])$' },
  ],
  description: 'bytes, or a size such as 64MB or 50GB',
};
const RATE: JsonValue = {
  type: 'string',
  pattern: '^\\d{1,10}/\\d{0,10}(ms|s|m|h|d)$',
  description: 'a count and a window, such as 5/60s',
};
const NOTHING = { type: 'null' };
const SIZES = new Set(['bytes', 'body_limit_bytes']);
const RATES = new Set(['requests', 'images', 'tokens']);

/** What `onetake.yaml` may say, as JSON Schema (2020-12) for editors. What only the environment decides is not in it. */
export function configJsonSchema(): JsonObject {
  const made: JsonValue = JSON.parse(
    JSON.stringify(z.toJSONSchema(CONFIG_FILE, { io: 'input', unrepresentable: 'any' })),
  );
  const schema = isObject(made) ? made : {};
  const sections = objectAt(schema, 'properties');
  return {
    ...schema,
    title: 'onetake.yaml',
    description: 'The configuration of an Onetake gateway. Every key is optional.',
    properties: Object.fromEntries(
      // A section whose entries are all commented out reads as null.
      Object.entries(sections).map(([name, section]) => [name, orNothing(sectionOf(name, section))]),
    ),
  };
}

function sectionOf(name: string, section: JsonValue | undefined): JsonValue {
  if (SIZES.has(name)) return SIZE;
  if (!isObject(section)) return section ?? {};
  const entries = section.additionalProperties;
  if (name === 'routes') return { ...section, additionalProperties: { anyOf: [entries ?? {}, targetsOf(entries)] } };
  if (name === 'providers') return { ...section, additionalProperties: orNothing(entries ?? {}) };
  if (name === 'limits') return { ...section, additionalProperties: withRates(entries) };
  if (name === 'webhooks') return withKeys(section);
  return withSizes(section);
}

/** A list stands for a route that says nothing but its targets. */
function targetsOf(route: JsonValue | undefined): JsonValue {
  return objectAt(objectAt(route, 'properties'), 'targets');
}

function withRates(limit: JsonValue | undefined): JsonValue {
  const properties = Object.entries(objectAt(limit, 'properties')).map(([name, value]) => {
    if (!RATES.has(name)) return [name, value];
    return [name, { anyOf: [RATE, { type: 'array', minItems: 1, maxItems: 4, items: RATE }] }];
  });
  return { ...(isObject(limit) && limit), properties: Object.fromEntries(properties) };
}

function withKeys(section: JsonObject): JsonValue {
  const properties = objectAt(section, 'properties');
  const keys = objectAt(properties, 'keys');
  const entry = orNothing(keys.additionalProperties ?? {});
  return { ...section, properties: { ...properties, keys: { ...keys, additionalProperties: entry } } };
}

function withSizes(section: JsonObject): JsonValue {
  if (!isObject(section.properties)) return section;
  const properties = Object.entries(section.properties).map(([name, value]) => [name, SIZES.has(name) ? SIZE : value]);
  return { ...section, properties: Object.fromEntries(properties) };
}

function orNothing(schema: JsonValue): JsonValue {
  return { anyOf: [schema, NOTHING] };
}

function objectAt(value: JsonValue | undefined, key: string): JsonObject {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : {};
}
