import { failureOf } from '../classify.ts';
import type { Failure } from '../failure.ts';
import { asBuffer } from '../images/drain.ts';
import { ScanError } from '../images/scan-error.ts';
import { isObject, type JsonObject, type JsonValue, parseJson, withoutByteOrderMark } from '../json.ts';
import type { ChatAnswer, ChatAnswerOptions } from './answer.ts';
import { type BodyScan, createBodyScan } from './body-scan.ts';
import type { ChatUsage } from './chat.ts';
import type { ChatEndpoint } from './endpoints.ts';
import { errorOf, filteredPrompt, saidNothing, toldFailure } from './told-failure.ts';
import { usageIn } from './usage.ts';

/** Up to here a body is parsed whole, in a few milliseconds; a larger one is looked through as it comes. */
const MAX_PARSED_BYTES = 1024 * 1024;
/** Smaller pieces are gathered, so that no number of them costs more memory than their bytes. */
const PIECE_BYTES = 64 * 1024;
const MAX_SHOWN_BYTES = 64 * 1024;
const BLANK = /^\s*$/;

/** Holds an answer that comes whole until it was found to be one, and then hands it on as it came. */
export function createBodyAnswer(options: ChatAnswerOptions): ChatAnswer {
  const { head, request, provider, redact, maxBytes } = options;
  const pieces = createPieces();
  let scan: BodyScan | undefined;
  let usage: ChatUsage | undefined;
  let hasSaid = false;

  const read = (): JsonValue | undefined =>
    scan ? scan.members(pieces.slice) : parseJson(withoutByteOrderMark(pieces.slice(0, pieces.bytes()).toString()));
  const judged = (): Failure | undefined => {
    const value = read();
    const error = errorOf(value);
    if (error) return toldFailure(provider, redact(error), head, options.now());
    const text = redact(pieces.slice(0, Math.min(pieces.bytes(), MAX_SHOWN_BYTES)).toString());
    if (!isObject(value) && (scan ?? scanOf(pieces.list())).isCut()) return cutShort();
    if (!isObject(value))
      return failureOf(provider, { ...head, body: undefined, text }, options.now()) ?? noAnswer('it is no JSON');
    usage = usageIn(value);
    const missing = missingIn(value, request.endpoint);
    if (missing !== undefined) return noAnswer(`it has no ${missing}`);
    // A list too large to be read looks empty, so only of what was parsed whole this is known.
    const isEmpty = scan === undefined && Array.isArray(value.choices) && value.choices.length === 0;
    if (!isEmpty || request.endpoint !== 'chat/completions') return undefined;
    return filteredPrompt([value]) ?? saidNothing('the answer came without any choices in it');
  };

  return {
    write(chunk) {
      if (pieces.bytes() + chunk.length > maxBytes) {
        throw new ScanError('too_large', `the answer is larger than the ${maxBytes} bytes allowed`);
      }
      const bytes = asBuffer(chunk);
      hasSaid ||= !BLANK.test(bytes.toString('latin1'));
      pieces.add(bytes);
      if (scan) scan.write(bytes);
      else if (pieces.bytes() > MAX_PARSED_BYTES) {
        scan = scanOf(pieces.list());
      }
    },
    // Some servers send the head at once and blanks while they work: neither is the first of the answer.
    progress: () => (hasSaid ? 'begun' : 'waiting'),
    end: () => ({ ...head, body: null, text: '' }),
    async conclude(handOn) {
      const failure = judged();
      if (failure) return failure;
      options.begin();
      for (const piece of pieces.list()) await handOn(piece);
      return undefined;
    },
    hasTold: () => false,
    usage: () => usage,
    passed: () => ({ bytes: pieces.bytes(), events: 0 }),
  };
}

function scanOf(pieces: readonly Buffer[]): BodyScan {
  const scan = createBodyScan();
  for (const piece of pieces) scan.write(piece);
  return scan;
}

/** What makes an answer of each endpoint one, where that is not there. */
function missingIn(value: JsonObject, endpoint: ChatEndpoint): string | undefined {
  if (endpoint === 'chat/completions') return Array.isArray(value.choices) ? undefined : 'choices';
  if (endpoint === 'embeddings') return Array.isArray(value.data) ? undefined : 'data';
  return Array.isArray(value.output) || typeof value.status === 'string' ? undefined : 'output';
}

/** What came with a good status was no answer of its endpoint. */
export function noAnswer(why: string): Failure {
  return {
    kind: 'server',
    certainty: 'ambiguous',
    message: `the answer was not the provider's: ${why}; something between may have replaced it`,
    classifiedBy: 'body of another shape',
  };
}

function cutShort(): Failure {
  return {
    kind: 'server',
    certainty: 'ambiguous',
    message: 'the JSON of the answer ends in the middle; it was cut off, and the provider may have made all of it',
    classifiedBy: 'body without an end',
  };
}

interface Pieces {
  add(bytes: Buffer): void;
  bytes(): number;
  list(): readonly Buffer[];
  slice(from: number, to: number): Buffer;
}

function createPieces(): Pieces {
  const whole: Buffer[] = [];
  let total = 0;
  let room: Buffer | undefined;
  let used = 0;
  const settle = () => {
    if (room && used > 0) whole.push(room.subarray(0, used));
    [room, used] = [undefined, 0];
  };
  return {
    add(bytes) {
      total += bytes.length;
      if (bytes.length >= PIECE_BYTES / 4) {
        settle();
        whole.push(bytes);
        return;
      }
      if (room === undefined || used + bytes.length > room.length) {
        settle();
        room = Buffer.allocUnsafe(Math.max(bytes.length, Math.min(total, PIECE_BYTES)));
      }
      bytes.copy(room, used);
      used += bytes.length;
    },
    bytes: () => total,
    list() {
      settle();
      return whole;
    },
    slice(from, to) {
      settle();
      const parts: Buffer[] = [];
      let at = 0;
      for (const piece of whole) {
        if (at + piece.length > from && at < to) parts.push(piece.subarray(Math.max(0, from - at), to - at));
        at += piece.length;
      }
      const [first] = parts;
      return first && parts.length === 1 ? first : Buffer.concat(parts);
    },
  };
}
