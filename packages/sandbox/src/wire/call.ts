import { createHash, randomInt } from 'node:crypto';
import type { Format } from '../draw/studio.ts';
import { RefusedError } from './answer.ts';
import type { Fields } from './body.ts';

/** What an image request asks for, checked, with every default filled in. */
export interface ImageCall {
  readonly operation: 'generate' | 'edit';
  readonly prompt: string;
  readonly n: number;
  readonly width: number;
  readonly height: number;
  readonly quality: string;
  readonly format: Format;
  /** JPEG quality, 1 to 100. */
  readonly compression: number;
  readonly background: 'opaque' | 'transparent';
  readonly seed: number;
  readonly delivery: 'b64_json' | 'url';
  readonly stream: boolean;
  readonly partialImages: number;
  readonly references: readonly Buffer[];
  /** Lower-case hex SHA-256 of an edit's first reference. */
  readonly reference?: string;
}

const MAX_PROMPT = 32_000;
const MAX_SIDE = 4096;
const MAX_SEED = 0xffff_ffff;
const MAX_REFERENCES = 16;
const DEFAULT_COMPRESSION = 90;
const QUALITIES = ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'];
const FORMATS = ['png', 'jpeg', 'webp', 'svg'] as const;

/** Checks a request as OpenAI does; what it does not know it lets pass. */
export function readCall(operation: ImageCall['operation'], { values, files }: Fields): ImageCall {
  const prompt = readPrompt(values.prompt);
  const references = operation === 'edit' ? readReferences(files) : [];
  const format = readChoice(values, 'output_format', FORMATS) ?? 'png';
  const quality = readChoice(values, 'quality', QUALITIES) ?? 'auto';
  const first = references[0];
  const stream = readBoolean(values, 'stream');
  return {
    operation,
    prompt,
    n: readInteger(values, 'n', 1, 10) ?? 1,
    ...readSize(values.size),
    quality: quality === 'auto' ? 'medium' : quality,
    format,
    compression: Math.max(1, readInteger(values, 'output_compression', 0, 100) ?? DEFAULT_COMPRESSION),
    background: readBackground(values, format),
    seed: readInteger(values, 'seed', 0, MAX_SEED) ?? randomInt(MAX_SEED),
    delivery: readChoice(values, 'response_format', ['b64_json', 'url'] as const) ?? 'b64_json',
    stream,
    partialImages: stream ? (readInteger(values, 'partial_images', 0, 3) ?? 0) : 0,
    references,
    ...(first && { reference: createHash('sha256').update(first).digest('hex') }),
  };
}

function refuse(param: string, code: string, message: string): RefusedError {
  return new RefusedError({ status: 400, param, code, message });
}

function wrongType(param: string, wanted: string, value: unknown): RefusedError {
  const got = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a value of type ${typeof value}`;
  return refuse(param, 'invalid_type', `Invalid type for '${param}': expected ${wanted}, but got ${got} instead.`);
}

function readPrompt(value: unknown): string {
  if (value === undefined || value === null) {
    throw refuse('prompt', 'missing_required_parameter', "Missing required parameter: 'prompt'.");
  }
  if (typeof value !== 'string') throw wrongType('prompt', 'a string', value);
  if (value === '') {
    throw refuse('prompt', 'empty_string', "Invalid 'prompt': empty string. Expected a string with minimum length 1.");
  }
  if (value.length > MAX_PROMPT) {
    const message = `Invalid 'prompt': string too long. Expected a string with maximum length ${MAX_PROMPT}, but got a string with length ${value.length} instead.`;
    throw refuse('prompt', 'string_above_max_length', message);
  }
  return value;
}

function readInteger(values: Fields['values'], param: string, least: number, most: number): number | undefined {
  const value = values[param];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(param, 'an integer', value);
  if (value >= least && value <= most) return value;
  const [side, comparison, limit] = value < least ? ['below_min', '>=', least] : ['above_max', '<=', most];
  const words = value < least ? 'below minimum' : 'above maximum';
  const message = `Invalid '${param}': integer ${words} value. Expected a value ${comparison} ${limit}, but got ${value} instead.`;
  throw refuse(param, `integer_${side}_value`, message);
}

function readBoolean(values: Fields['values'], param: string): boolean {
  const value = values[param] ?? false;
  if (typeof value !== 'boolean') throw wrongType(param, 'a boolean', value);
  return value;
}

function readChoice<T extends string>(values: Fields['values'], param: string, choices: readonly T[]): T | undefined {
  const value = values[param];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(param, 'a string', value);
  const found = choices.find((choice) => choice === value);
  if (found) return found;
  const supported = choices.map((choice) => `'${choice}'`).join(', ');
  throw refuse(param, 'invalid_value', `Invalid value: '${value.slice(0, 100)}'. Supported values are: ${supported}.`);
}

/** `WxH`, each side 1 to 4096; `auto` or nothing is 1024x1024. */
function readSize(value: unknown): { width: number; height: number } {
  if (value === undefined || value === null || value === 'auto') return { width: 1024, height: 1024 };
  if (typeof value !== 'string') throw wrongType('size', 'a string', value);
  const [, width = 0, height = 0] = (/^(\d{1,4})x(\d{1,4})$/u.exec(value) ?? []).map(Number);
  if (width >= 1 && width <= MAX_SIDE && height >= 1 && height <= MAX_SIDE) return { width, height };
  const message = `Invalid value: '${value.slice(0, 100)}'. Supported values are: 'auto' and any '<width>x<height>' with sides of 1 to ${MAX_SIDE}, such as '1024x1024'.`;
  throw refuse('size', 'invalid_value', message);
}

function readBackground(values: Fields['values'], format: Format): ImageCall['background'] {
  const asked = readChoice(values, 'background', ['auto', 'opaque', 'transparent'] as const);
  if (asked === 'transparent' && format === 'jpeg') {
    const message = "Transparent background is not supported for output format 'jpeg'. Use 'png' or 'webp'.";
    throw refuse('background', 'invalid_value', message);
  }
  return asked === 'transparent' ? 'transparent' : 'opaque';
}

function readReferences(files: Fields['files']): Buffer[] {
  const images = files.filter(({ field }) => field === 'image').map(({ bytes }) => bytes);
  if (images.length === 0) throw refuse('image', 'missing_required_parameter', "Missing required parameter: 'image'.");
  if (images.length > MAX_REFERENCES) {
    const message = `Invalid 'image': array too long. Expected an array with maximum length ${MAX_REFERENCES}, but got an array with length ${images.length} instead.`;
    throw refuse('image', 'array_above_max_length', message);
  }
  for (const { field, bytes } of files) {
    if ((field !== 'image' && field !== 'mask') || isImage(bytes)) continue;
    const message = `Invalid image file or mode for '${field}': expected a PNG, JPEG or WebP file.`;
    throw new RefusedError({
      status: 400,
      type: 'image_generation_user_error',
      param: field,
      code: 'invalid_image_file',
      message,
    });
  }
  return images;
}

function isImage(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12);
  return start.startsWith('\x89PNG\r\n\x1a\n') || start.startsWith('\xff\xd8\xff') || /^RIFF.{4}WEBP/su.test(start);
}
