import { isObject, type JsonObject, type JsonValue } from '../json.ts';

/** What a character of English, code or JSON comes to: OpenAI's rule of thumb. */
const BYTES_PER_TOKEN = 4;
/** A picture, a recording or a file, whose base64 says nothing of its price: that of a picture in full detail. */
const MEDIA_TOKENS = 1_000;
/** Parts that are media whatever stands in them. */
const MEDIA_TYPES = new Set([
  ...['image_url', 'input_image', 'computer_screenshot', 'image', 'file', 'input_file', 'input_audio', 'audio_url'],
  ...['video_url', 'input_video'],
]);
/** What of a body is read by the model; the rest are settings. */
const READ = ['messages', 'input', 'instructions', 'prompt', 'tools', 'functions', 'response_format', 'text'];
/** Bare base64 is told from words by its front. */
const BASE64_FRONT = /^[A-Za-z0-9+/_-]{256}$/;
const FRONT_CHARS = 256;

/** Tokens of a text, or of so many bytes of one. */
export function estimateTokens(text: string | number): number {
  const bytes = typeof text === 'number' ? text : Buffer.byteLength(text);
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/**
 * About how many tokens a request puts in: bytes of its texts and of the names in it by four, a token for a number, a
 * fixed estimate for each picture, recording or file.
 */
export function estimateInput(body: JsonObject): number {
  let bytes = 0;
  let tokens = 0;
  const open: JsonValue[] = READ.flatMap((key) => body[key] ?? []);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'number') tokens += 1;
    else if (typeof value === 'string') {
      if (isMedia(value)) tokens += MEDIA_TOKENS;
      else bytes += Buffer.byteLength(value);
    } else if (isObject(value)) {
      if (typeof value.type === 'string' && MEDIA_TYPES.has(value.type)) tokens += MEDIA_TOKENS;
      else bytes += pushMembers(value, open);
    } else if (value !== null && typeof value === 'object') {
      tokens += pushItems(value, open);
    }
  }
  return tokens + estimateTokens(bytes);
}

/** Bytes of the names of the members. */
function pushMembers(value: JsonObject, open: JsonValue[]): number {
  let bytes = 0;
  for (const [key, member] of Object.entries(value)) {
    bytes += Buffer.byteLength(key);
    if (member !== undefined) open.push(member);
  }
  return bytes;
}

/** How many of the items are numbers: of an array of tokens all, and none of them is worth a place in `open`. */
function pushItems(items: readonly JsonValue[], open: JsonValue[]): number {
  let numbers = 0;
  for (const item of items) {
    if (typeof item === 'number') numbers += 1;
    else open.push(item);
  }
  return numbers;
}

function isMedia(text: string): boolean {
  return text.startsWith('data:') || BASE64_FRONT.test(text.slice(0, FRONT_CHARS));
}
