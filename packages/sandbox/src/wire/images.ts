import type { Answer } from './answer.ts';
import type { ImageCall } from './call.ts';

/** Bytes as base64 text. */
export type Base64 = Buffer;

const encoded = new WeakMap<Buffer, Base64>();

/** The base64 of `bytes`; asked again for the same buffer, the same text. */
export function base64Of(bytes: Buffer): Base64 {
  const known = encoded.get(bytes);
  if (known) return known;
  const made = Buffer.from(bytes.toString('base64'), 'latin1');
  encoded.set(bytes, made);
  return made;
}

/** A picture's place in `data`: its base64 or its URL, and further fields. */
export interface Item {
  readonly base64?: Base64;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The JSON of one object whose `b64_json` is too large to go through a string twice. */
export function objectWithBase64(first: Readonly<Record<string, unknown>>, { base64, fields }: Item): Buffer[] {
  if (!base64) return [Buffer.from(JSON.stringify({ ...first, ...fields }))];
  const head = JSON.stringify({ ...first, b64_json: '' }).slice(0, -2);
  const tail = JSON.stringify(fields).slice(1);
  return [Buffer.from(head), base64, Buffer.from(tail === '}' ? '"}' : `",${tail}`)];
}

/** OpenAI's answer to an image request; without `items` its `data` is missing. */
export function imagesAnswer(items: readonly Item[] | undefined, echo: Readonly<Record<string, unknown>>): Answer {
  const created = `{"created":${unixSeconds()}`;
  const data = items?.flatMap((item, index) => [Buffer.from(index === 0 ? '' : ','), ...objectWithBase64({}, item)]);
  const list = data ? [Buffer.from(',"data":['), ...data, Buffer.from(']')] : [];
  const body = [Buffer.from(created), ...list, Buffer.from(`,${JSON.stringify(echo).slice(1)}`)];
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

// Output tokens of one 1024x1024 picture; other sizes in proportion to their pixels.
const OUTPUT_TOKENS: Readonly<Record<string, number>> = { low: 272, standard: 272, medium: 1056 };
const HIGH_OUTPUT_TOKENS = 4160;
const PARTIAL_TOKENS = 100;
const REFERENCE_TOKENS = 323;
const CHARACTERS_PER_TOKEN = 4;

/** A plausible count of tokens, in the shape of OpenAI's `usage`. */
export function usageOf(call: ImageCall): Readonly<Record<string, unknown>> {
  const text = Math.ceil(call.prompt.length / CHARACTERS_PER_TOKEN);
  const image = call.references.length * REFERENCE_TOKENS;
  const share = (call.width * call.height) / 1024 ** 2;
  const each =
    Math.ceil((OUTPUT_TOKENS[call.quality] ?? HIGH_OUTPUT_TOKENS) * share) + call.partialImages * PARTIAL_TOKENS;
  const output = each * call.n;
  return {
    input_tokens: text + image,
    output_tokens: output,
    total_tokens: text + image + output,
    input_tokens_details: { text_tokens: text, image_tokens: image },
  };
}
