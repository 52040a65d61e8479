import type { AnswerReader } from './exchange.ts';
import type { HttpResponse, SseEvent } from './http.ts';
import type { Intake } from './images/intake.ts';
import { createJsonScanner } from './images/scan.ts';
import { ScanError } from './images/scan-error.ts';
import { createSseScanner } from './images/sse.ts';
import { type JsonValue, parseJson } from './json.ts';

/** Errors and foreign bodies are read to this length; nobody needs more of them. */
const MAX_TEXT_BYTES = 64 * 1024;

export interface AnswerOptions {
  readonly intake: Intake;
  readonly maxBytes: number;
  /** Takes the events of a streamed answer; absent where no stream was asked for. */
  readonly onEvent?: (event: SseEvent) => Promise<void>;
  /** The body itself is the picture, as when a result's link is fetched. */
  readonly isImage?: boolean;
}

/** Chooses how to read an answer by its status and type: pictures go into the intake, everything else stays small. */
export function createAnswerReader(
  status: number,
  headers: Readonly<Record<string, string>>,
  options: AnswerOptions,
): AnswerReader {
  const { intake, maxBytes, onEvent } = options;
  const answer = (body: JsonValue | undefined, text = ''): HttpResponse => ({ status, headers, body, text });
  const type = headers['content-type'] ?? '';
  const good = status >= 200 && status < 300;
  if (good && options.isImage) return readImage(options, headers, () => answer(undefined));
  // Some providers answer with the picture itself; an adapter finds it where any other blob would be.
  if (good && type.startsWith('image/')) return readImage(options, headers, (blob) => answer({ $blob: blob }));
  if (good && onEvent && type.startsWith('text/event-stream')) {
    const scanner = createSseScanner({ onEvent, openBlob: intake.openBlob, maxBytes });
    return {
      write: (chunk) => scanner.write(chunk),
      // A stream cut short is judged by what it brought: without a picture there is no verdict.
      end: () => answer(null),
    };
  }
  if (good && !/\bhtml\b/.test(type)) {
    const scanner = createJsonScanner({ openBlob: intake.openBlob, maxBytes });
    let isEmpty = true;
    return {
      write: (chunk) => {
        isEmpty &&= chunk.length === 0;
        return scanner.write(chunk);
      },
      // What has no body by its status is whole without one; any other body that is empty is no answer.
      end: () => answer(isEmpty ? (status === 204 ? null : undefined) : scanner.end()),
    };
  }
  return readText(answer);
}

function readImage(
  { intake, maxBytes }: AnswerOptions,
  headers: Readonly<Record<string, string>>,
  done: (blob: number) => HttpResponse,
): AnswerReader {
  let received = 0;
  const check = (bytes: number) => {
    if (bytes > maxBytes) throw new ScanError('too_large', `the picture is larger than the ${maxBytes} bytes allowed`);
  };
  check(Number(headers['content-length'] ?? 0));
  const target = intake.openBlob();
  return {
    write(chunk) {
      received += chunk.length;
      check(received);
      return target.write(chunk);
    },
    end: () => done(target.end()),
  };
}

/** Reads an error or a foreign body, of which the first 64 KiB are kept. */
export function readText(answer: (body: JsonValue | undefined, text: string) => HttpResponse): AnswerReader {
  const chunks: Uint8Array[] = [];
  let kept = 0;
  return {
    write(chunk) {
      const taken = chunk.subarray(0, MAX_TEXT_BYTES - kept);
      if (taken.length > 0) chunks.push(taken);
      kept += taken.length;
    },
    end() {
      const text = Buffer.concat(chunks).toString('utf8');
      return answer(parseJson(text), text);
    },
  };
}
