import { pastString } from './json-spans.ts';

/** Far deeper than any schema, and what a recursive reader behind us still takes. */
const MAX_DEPTH = 512;
/** A conversation of 50,000 messages with parts; parsed, each costs up to a hundred times its bytes. */
const MAX_CONTAINERS = 500_000;
/** OpenAI takes 300,000 tokens in one request of embeddings. */
const MAX_VALUES = 2_000_000;

const [QUOTE, COMMA] = [0x22, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * What is wrong with the shape of JSON text before it is parsed: 64 MiB of brackets would take gigabytes and seconds.
 * Undefined where nothing is; whether it is JSON at all is not looked at.
 */
export function shapeFlaw(json: Buffer): string | undefined {
  let depth = 0;
  let containers = 0;
  let values = 0;
  const { length } = json;
  for (let at = 0; at < length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte > COMMA && byte < OPEN_BRACKET) continue;
    if (byte === QUOTE) at = pastString(json, at) - 1;
    else if (byte === COMMA) values += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      containers += 1;
      if (depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels; send it flatter`;
    }
  }
  if (containers > MAX_CONTAINERS) return `holds more than ${MAX_CONTAINERS} objects and arrays; send it in parts`;
  return values > MAX_VALUES ? `holds more than ${MAX_VALUES} values; send it in parts` : undefined;
}
