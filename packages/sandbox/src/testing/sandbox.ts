import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Sandbox, type SandboxOptions, startSandbox } from '../server.ts';

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A sandbox that ends with the test. */
export async function sandboxFor(t: TestContext, options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ dataDir: temporaryDirectory(t), ...options });
  t.after(() => sandbox.close());
  return sandbox;
}

/** Posts a generation; small pictures, so that tests are quick. */
export function generate(sandbox: Sandbox, fields: object, init: RequestInit = {}): Promise<Response> {
  return fetch(`${sandbox.url}/v1/images/generations`, {
    method: 'POST',
    body: JSON.stringify({ prompt: 'a red fox', size: '64x48', ...fields }),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
}

/** The answer's JSON, as loosely typed as a caller in another language has it. */
export async function jsonOf(response: Response | Promise<Response>): Promise<Answered> {
  return (await (await response).json()) as Answered;
}

export interface Answered {
  readonly data: { b64_json: string; seed: number; url: string }[];
  readonly error: { message: string; type: string; param: string | null; code: string | null };
  readonly total: { requests: number; images: number; charged: number; charged_usd: number };
  readonly models: Record<string, Answered['total']>;
  readonly entries: Record<string, unknown>[];
  readonly size: string;
  readonly background: string;
  readonly output_format: string;
  readonly quality: string;
  readonly usage: Record<string, unknown>;
}

export async function ledgerOf(sandbox: Sandbox): Promise<Answered> {
  return jsonOf(fetch(`${sandbox.url}/ledger`));
}

/** The bytes of an answer's first picture. */
export async function pictureOf(response: Response | Promise<Response>): Promise<Buffer> {
  return Buffer.from((await jsonOf(response)).data[0]?.b64_json ?? '', 'base64');
}

/** A job as a caller in another language has it. */
export interface AnsweredTask {
  readonly id: string;
  readonly status: string;
  readonly progress: number;
  readonly created_at: string;
  readonly poll_url: string;
  readonly retry_after_ms?: number;
  readonly output?: { url?: string; b64_json?: string; seed: number }[];
  readonly error?: { code: string; message: string; type?: string };
  readonly billed?: boolean;
}

/** Posts a job; small pictures, so that tests are quick. */
export function submit(sandbox: Sandbox, fields: object, init: RequestInit = {}): Promise<Response> {
  return fetch(`${sandbox.url}/tasks`, {
    method: 'POST',
    body: JSON.stringify({ prompt: 'a red fox', size: '64x48', ...fields }),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
}

export async function taskOf(response: Response | Promise<Response>): Promise<AnsweredTask> {
  return (await (await response).json()) as AnsweredTask;
}

export function lookUp(sandbox: Sandbox, id: string): Promise<Response> {
  return fetch(`${sandbox.url}/tasks/${id}`);
}

export function cancel(sandbox: Sandbox, id: string): Promise<Response> {
  return fetch(`${sandbox.url}/tasks/${id}/cancel`, { method: 'POST' });
}

const RETRY_LOOK_MS = 20;

/** Looks a job up as often as it says until it has ended, whatever a single look answers. */
export async function endOf(sandbox: Sandbox, id: string): Promise<AnsweredTask> {
  for (;;) {
    const response = await lookUp(sandbox, id);
    assert.notEqual(response.status, 404, `${id} is gone`);
    const task = await taskOf(response);
    if (response.ok && task.retry_after_ms === undefined) return task;
    await new Promise((resolve) => setTimeout(resolve, task.retry_after_ms ?? RETRY_LOOK_MS));
  }
}

export interface Hook {
  readonly url: string;
  readonly received: AnsweredTask[];
  /** Resolves when as many as this have come. */
  come(count: number): Promise<void>;
}

/** A server that is told of jobs and answers with these statuses in turn, the last of which repeats. */
export async function hookFor(t: TestContext, ...statuses: number[]): Promise<Hook> {
  const received: AnsweredTask[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString('utf8');
    response.writeHead(statuses[Math.min(received.length, statuses.length - 1)] ?? 200).end();
    received.push(JSON.parse(body) as AnsweredTask);
    server.emit('told');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    async come(count) {
      while (received.length < count) await once(server, 'told');
    },
  };
}

/** An answer of an imitation: its JSON as text of any shape, or nothing where it is none. */
export interface Imitated {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Sends JSON (or a form, or nothing) to an imitation; `path` begins with its name, or with `/fault/<script>`. */
export async function imitate(
  sandbox: Sandbox,
  path: string,
  { body, ...init }: Omit<RequestInit, 'body'> & { readonly body?: object } = {},
): Promise<Imitated> {
  const form = body instanceof FormData;
  const sent = form ? body : JSON.stringify(body);
  const json = body === undefined || form ? {} : { 'content-type': 'application/json' };
  const response = await fetch(path.startsWith('http') ? path : `${sandbox.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...init,
    ...(sent !== undefined && { body: sent }),
    headers: { ...json, ...init.headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: isJson(text) ? JSON.parse(text) : undefined };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Value at a dotted path of an answer, such as `result.sample` or `data.0.url`. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], value);
}

/** The same as a text, empty where there is none. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path);
  return typeof found === 'string' ? found : '';
}
