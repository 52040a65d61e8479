import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isForm } from './accept.ts';
import { type Answer, jsonAnswer } from './wire/answer.ts';
import { onBodyRead } from './wire/body.ts';

/** One request as it came; of its keys only a SHA-256. */
export interface SeenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** A value that holds a key is `<scheme> sha256:<hex>`, so that two requests can be held against each other. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null where it had none, or was never read. */
  readonly body: SeenBody | null;
}

export interface SeenBody {
  readonly bytes: number;
  /** Absent where so much came after it that it was let go. */
  readonly sha256?: string;
  /** Of JSON up to 64 KiB. */
  readonly json?: unknown;
  /** Of a form: its fields in order; files by their digest. */
  readonly form?: readonly SeenField[];
}

export type SeenField =
  | { readonly name: string; readonly value: string }
  | (Omit<SeenBody, 'json' | 'form'> & { readonly name: string; readonly filename: string; readonly type: string });

/** The latest requests, in memory. */
export interface Requests {
  /** Notes a request, and its body once that was read; what tests ask the sandbox itself is left out. */
  note(request: IncomingMessage): void;
  /** `GET /requests`: the latest 100, the oldest first. */
  answer(): Promise<Answer>;
}

interface Noted {
  readonly request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>;
  bytes: number;
  body?: Buffer | undefined;
}

const MAX_REQUESTS = 100;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const MAX_SHOWN_BYTES = 64 * 1024;
const OWN = /^\/(?:requests|ledger|faults|protocols|files)(?:[/?]|$)/u;

export function createRequests(): Requests {
  const seen: Noted[] = [];
  return {
    note(request) {
      if (OWN.test(request.url ?? '/')) return;
      const { method, url, headers } = request;
      const noted: Noted = { request: { method, url, headers }, bytes: 0 };
      seen.push(noted);
      if (seen.length > MAX_REQUESTS) seen.shift();
      onBodyRead(request, (body) => {
        [noted.bytes, noted.body] = [body.length, body];
        letGo(seen);
      });
    },
    answer: async () => jsonAnswer(200, { requests: await Promise.all(seen.map(shown)) }),
  };
}

/** Lets the oldest bodies go until the others fit. */
function letGo(seen: readonly Noted[]): void {
  let kept = 0;
  for (const noted of seen.toReversed()) {
    kept += noted.body?.length ?? 0;
    if (kept > MAX_KEPT_BYTES) noted.body = undefined;
  }
}

async function shown({ request, bytes, body }: Noted): Promise<SeenRequest> {
  const { method = '', url = '/', headers } = request;
  const described = body ? await bodyView(body, headers['content-type'] ?? '') : bytes > 0 ? { bytes } : null;
  return { method, path: url.slice(0, MAX_SHOWN_BYTES), headers: shownHeaders(headers), body: described };
}

async function bodyView(body: Buffer, type: string): Promise<SeenBody> {
  const whole = { bytes: body.length, sha256: sha256(body) };
  if (body.length === 0) return whole;
  if (isForm(type)) return { ...whole, form: await fieldsIn(body, type) };
  const json = body.length > MAX_SHOWN_BYTES ? undefined : jsonIn(body);
  return json === undefined ? whole : { ...whole, json };
}

async function fieldsIn(body: Buffer, type: string): Promise<readonly SeenField[]> {
  const read = new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const form = await read.catch(() => undefined);
  const fields: SeenField[] = [];
  for (const [name, value] of form ?? []) {
    if (typeof value === 'string') fields.push({ name, value: value.slice(0, MAX_SHOWN_BYTES) });
    else {
      const bytes = Buffer.from(await value.arrayBuffer());
      const file = { filename: value.name, type: value.type, bytes: bytes.length, sha256: sha256(bytes) };
      fields.push({ name, ...file });
    }
  }
  return fields;
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

const KEY_HEADERS = /key|secret|token|authorization|cookie/u;

function shownHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value = '']) => {
    const text = Array.isArray(value) ? value.join(', ') : value;
    return [name, KEY_HEADERS.test(name) ? withoutKey(text) : text];
  });
  return Object.fromEntries(entries);
}

function withoutKey(text: string): string {
  const [, scheme = '', key = ''] = /^(\w+ )?(.*)$/su.exec(text) ?? [];
  return `${scheme}sha256:${sha256(Buffer.from(key))}`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
