import { createHash } from 'node:crypto';
import { readInteger, readModel, readRequired, refuse, type Values } from './call.ts';
import { countTokens } from './tokens.ts';

/** A request for embeddings, checked. */
export interface EmbeddingsCall {
  readonly endpoint: 'embeddings';
  readonly model: string;
  readonly inputs: readonly string[];
  /** Tokens of all inputs. */
  readonly tokens: number;
  readonly dimensions: number;
  readonly format: 'float' | 'base64';
}

const MAX_INPUTS = 2048;
const MAX_DIMENSIONS = 4096;
const SMALL_DIMENSIONS = 1536;
const LARGE_DIMENSIONS = 3072;

export function readEmbeddingsCall(values: Values): EmbeddingsCall {
  const model = readModel(values);
  const inputs = readInputs(values);
  const usual = model.includes('large') ? LARGE_DIMENSIONS : SMALL_DIMENSIONS;
  return {
    ...{ endpoint: 'embeddings', model, inputs: inputs.map(({ text }) => text) },
    tokens: inputs.reduce((sum, { tokens }) => sum + tokens, 0),
    dimensions: readInteger(values, 'dimensions', 1, MAX_DIMENSIONS) ?? usual,
    format: readFormat(values.encoding_format),
  };
}

function readFormat(value: unknown): EmbeddingsCall['format'] {
  if (value === undefined || value === null) return 'float';
  if (value === 'float' || value === 'base64') return value;
  const message = "Invalid 'encoding_format': expected 'float' or 'base64'.";
  throw refuse('encoding_format', 'invalid_value', message);
}

/** A text, tokens, or a list of either. */
function readInputs(values: Values): readonly { text: string; tokens: number }[] {
  const input = readRequired(values, 'input');
  const list = Array.isArray(input) && !isTokens(input) ? input : [input];
  if (list.length === 0 || list.length > MAX_INPUTS) {
    const message = `Invalid 'input': expected 1 to ${MAX_INPUTS} items, but got ${list.length}.`;
    throw refuse('input', 'invalid_value', message);
  }
  return list.map((one) => {
    if (typeof one === 'string' && one !== '') return { text: one, tokens: countTokens(one) };
    if (isTokens(one)) return { text: JSON.stringify(one), tokens: one.length };
    const message = "Invalid 'input': expected texts that are not empty, or lists of tokens.";
    throw refuse('input', 'invalid_type', message);
  });
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token));
}

/** The answer to a request for embeddings: for the same model, text and size always the same vectors, of length 1. */
export function embeddingsAnswer(call: EmbeddingsCall, withUsage: boolean): object {
  const data = call.inputs.map((text, index) => {
    const vector = vectorOf(call, text);
    const embedding = call.format === 'float' ? [...vector] : Buffer.from(vector.buffer).toString('base64');
    return { object: 'embedding', index, embedding };
  });
  const usage = { prompt_tokens: call.tokens, total_tokens: call.tokens };
  return { object: 'list', data, model: call.model, ...(withUsage && { usage }) };
}

const BYTES_PER_HASH = 64;

function vectorOf({ model, dimensions }: EmbeddingsCall, text: string): Float32Array {
  const vector = new Float32Array(dimensions);
  const seed = createHash('sha512').update(`${model}\n${text}`).digest();
  let bytes = seed;
  for (let index = 0; index < dimensions; index++) {
    const at = (index * 2) % BYTES_PER_HASH;
    if (at === 0) bytes = createHash('sha512').update(seed).update(String(index)).digest();
    vector[index] = bytes.readUInt16LE(at) / 0x7fff - 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
