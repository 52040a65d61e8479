import { randomBytes } from 'node:crypto';

/** A whole HTTP answer; `body` may hold large buffers by reference. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Buffer[];
}

/** Why a request is refused, whatever the protocol it came by calls that. */
export type Reason =
  | 'invalid'
  | 'policy'
  | 'policy-output'
  | 'key'
  | 'billing'
  | 'permission'
  | 'not-found'
  | 'retired'
  | 'timeout'
  | 'conflict'
  | 'too-large'
  | 'method'
  | 'rate'
  | 'concurrency'
  | 'quota'
  | 'server'
  | 'overloaded';

/** An error in OpenAI's envelope. `type` defaults to `invalid_request_error`, `param` and `code` to null. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** For protocols with errors of their own; the status says it where this is absent. */
  readonly reason?: Reason;
  /** How long the caller is asked to wait; absent without a hint. */
  readonly waitMs?: number;
  readonly type?: string;
  readonly param?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ends the handling of a request with a refusal from wherever the reason is found. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

export function envelopeOf({ message, type = 'invalid_request_error', param = null, code = null }: ErrorFields): {
  readonly error: object;
} {
  return { error: { message, type, param, code } };
}

type ErrorFields = {
  readonly message: string;
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
};

export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: [Buffer.from(JSON.stringify(value))],
  };
}

export function refusalAnswer(refusal: Refusal): Answer {
  return jsonAnswer(refusal.status, envelopeOf(refusal), refusal.headers);
}

export function pageAnswer(status: number, html: string): Answer {
  return { status, headers: { 'content-type': 'text/html' }, body: [Buffer.from(html)] };
}

/** The headers OpenAI puts on every answer; `startedAt` is a `performance.now()`. */
export function openAiHeaders(startedAt: number): Record<string, string> {
  return {
    'x-request-id': `req_${randomBytes(16).toString('hex')}`,
    'openai-processing-ms': String(Math.round(performance.now() - startedAt)),
    'openai-version': '2020-10-01',
    'openai-organization': 'org-sandbox',
  };
}

/** A duration as OpenAI's reset headers write it: `120ms`, `12s`, `1.5s`, `6m0s`; never shorter than `ms`. */
export function durationText(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  if (whole < 60_000) return `${whole / 1000}s`;
  const seconds = Math.ceil(whole / 1000);
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
