import type { Failure } from '../failure.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { GenerateParams } from './images.ts';

/** A request for pictures as OpenAI's wire tells it, without its files. */
export interface ImageFields {
  readonly params: GenerateParams;
  readonly responseFormat: 'b64_json' | 'url';
  /** Answered as events instead of one object. */
  readonly stream: boolean;
  /** The body's `onetake` member, for `readControls`. */
  readonly controls: JsonValue | undefined;
}

const MAX_TEXT_CHARS = 32_000;
const MAX_PICTURES = 10;

/** The wire's name of each text, and what the request calls it. */
const TEXTS = {
  model: 'model',
  prompt: 'prompt',
  size: 'size',
  aspect_ratio: 'aspectRatio',
  resolution: 'resolution',
  quality: 'quality',
  output_format: 'outputFormat',
  background: 'background',
  moderation: 'moderation',
  negative_prompt: 'negativePrompt',
} as const;
const NUMBERS = { n: 'n', output_compression: 'outputCompression', seed: 'seed' } as const;
/** Previews are not made here: a streamed answer holds the finished pictures alone. */
const OWN: ReadonlySet<string> = new Set(['response_format', 'stream', 'partial_images', 'onetake']);

type ReadImageFields =
  | { readonly ok: true; readonly fields: ImageFields }
  | { readonly ok: false; readonly failure: Failure };

/** `null` stands for an absent field; what is not known here passes to the provider as it is. */
export function readImageFields(body: JsonObject): ReadImageFields {
  const extra: Record<string, JsonValue> = {};
  const read: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null || OWN.has(name)) continue;
    if (isKeyOf(TEXTS, name)) {
      if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT_CHARS)
        return refusedField(name, `it is no text of 1 to ${MAX_TEXT_CHARS} characters`);
      read[TEXTS[name]] = value;
    } else if (isKeyOf(NUMBERS, name)) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return refusedField(name, 'it is no whole number');
      read[NUMBERS[name]] = value;
    } else extra[name] = value;
  }
  const { prompt, n = 1 } = read;
  if (typeof prompt !== 'string') return refusedField('prompt', 'it is missing', 'missing_required_parameter');
  if (typeof n !== 'number' || n < 1 || n > MAX_PICTURES)
    return refusedField('n', `it is not from 1 to ${MAX_PICTURES}`);
  const { response_format: responseFormat = null, stream = null, onetake: controls } = body;
  if (responseFormat !== null && responseFormat !== 'b64_json' && responseFormat !== 'url')
    return refusedField('response_format', 'it is neither b64_json nor url');
  if (stream !== null && typeof stream !== 'boolean') return refusedField('stream', 'it is neither true nor false');
  const params: GenerateParams = { ...read, prompt, ...(Object.keys(extra).length > 0 && { extra }) };
  const form = responseFormat ?? 'b64_json';
  return { ok: true, fields: { params, responseFormat: form, stream: stream === true, controls } };
}

/** Gives the fields of a form, which are all texts, the types that their JSON has. */
export function formFields(texts: readonly (readonly [string, string])[]): JsonObject {
  return Object.fromEntries(
    texts.map(([name, text]): [string, JsonValue] => {
      const isNumber = isKeyOf(NUMBERS, name) && /^-?\d{1,16}$/.test(text);
      if (name === 'stream' && (text === 'true' || text === 'false')) return [name, text === 'true'];
      return [name, isNumber ? Number(text) : text];
    }),
  );
}

function isKeyOf<Table extends object>(table: Table, name: string): name is string & keyof Table {
  return Object.hasOwn(table, name);
}

export function refusedField(param: string, why: string, code = 'invalid_value'): { ok: false; failure: Failure } {
  const message = `${param}: ${why}; change it`;
  return { ok: false, failure: { kind: 'invalid', certainty: 'not_sent', message, param, code } };
}
