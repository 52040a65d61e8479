import { mkdtempSync, rmSync } from 'node:fs';
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
