import { objectOf, type Values } from './call.ts';

const MAX_DEPTH = 8;
const MAX_ITEMS = 20;
const MAX_TEXT = 1000;
const MAX_VALUES = 1000;
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-02T03:04:05Z',
  date: '2026-01-02',
  time: '03:04:05',
  email: 'fox@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
  ipv4: '192.0.2.1',
};

/**
 * A value that fits a JSON schema as far as it is simple: types, enums, references, bounds; patterns are not looked at.
 * What is deeper than 8 levels, or comes after 1,000 values, is null.
 */
export function sampleOf(schema: unknown, text = 'text'): unknown {
  const root = objectOf(schema) ?? {};
  return sample(root, { root, text, depth: 0, budget: { values: MAX_VALUES } });
}

interface Place {
  readonly root: Values;
  /** What a string says where nothing else is asked of it. */
  readonly text: string;
  readonly depth: number;
  /** How many values may still be made, of the whole sample. */
  readonly budget: { values: number };
}

function sample(schema: Values, place: Place): unknown {
  if (place.depth > MAX_DEPTH || place.budget.values === 0) return null;
  place.budget.values -= 1;
  const inner = { ...place, depth: place.depth + 1 };
  const { $ref, enum: choices, anyOf, oneOf, allOf } = schema;
  if ('const' in schema) return schema.const;
  if (Array.isArray(choices) && choices.length > 0) return choices[0];
  if ('default' in schema) return schema.default;
  if (typeof $ref === 'string') return sample(referred(place.root, $ref), inner);
  const all = Array.isArray(allOf) ? allOf.flatMap((one) => objectOf(one) ?? []) : [];
  if (all.length > 0) return sample(Object.assign({}, ...all), inner);
  const one = [anyOf, oneOf].find((list) => Array.isArray(list));
  if (Array.isArray(one)) return sample(objectOf(one[0]) ?? {}, inner);
  return sampleOfType(schema, inner);
}

function referred(root: Values, reference: string): Values {
  const found = reference
    .replace(/^#\/?/u, '')
    .split('/')
    .filter((part) => part !== '')
    .reduce<Values | undefined>((value, part) => objectOf(value?.[part]), root);
  return found ?? {};
}

function sampleOfType(schema: Values, place: Place): unknown {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type ?? (schema.properties ? 'object' : 'string')) {
    case 'object':
      return Object.fromEntries(
        Object.entries(objectOf(schema.properties) ?? {}).map(([name, inner]) => [
          name,
          sample(objectOf(inner) ?? {}, place),
        ]),
      );
    case 'array': {
      const length = Math.min(MAX_ITEMS, numberOf(schema.minItems) ?? 1);
      return Array.from({ length }, () => sample(objectOf(schema.items) ?? {}, place));
    }
    case 'integer':
    case 'number':
      return numberIn(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return textIn(schema, place.text);
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function numberIn({ minimum, exclusiveMinimum, maximum, multipleOf }: Values): number {
  const above = numberOf(exclusiveMinimum);
  const step = numberOf(multipleOf) ?? 1;
  const least = numberOf(minimum) ?? (above === undefined ? undefined : above + step);
  return least ?? Math.min(step, numberOf(maximum) ?? step);
}

function textIn({ format, minLength, maxLength }: Values, text: string): string {
  const known = FORMATS[typeof format === 'string' ? format : ''];
  if (known !== undefined) return known;
  const least = Math.min(MAX_TEXT, numberOf(minLength) ?? 0);
  return text.padEnd(least, '.').slice(0, Math.max(0, numberOf(maxLength) ?? MAX_TEXT));
}
