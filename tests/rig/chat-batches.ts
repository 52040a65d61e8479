import type OpenAI from 'openai';
import { readLedger } from './ledger.ts';
import type { RunningSandbox } from './sandbox.ts';

export const CHAT = '/v1/chat/completions';

/** A line of an output or error file. */
export interface Line<Body> {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: Body } | null;
  readonly error: { readonly code: string } | null;
}

export interface Refused {
  readonly error: { readonly code: string; readonly param: string | null };
  readonly onetake: { readonly billed?: string; readonly generation?: string };
}

/** Slow lines go a few at a time, so that a kill meets a batch at work. */
export function yamlFor({ url }: RunningSandbox): string {
  const lab = `  lab: { kind: openai-compatible, base_url: "${url}/v1" }`;
  return ['providers:', lab, 'limits:', '  "lab/slow:0.2": { concurrency: 8 }', ''].join('\n');
}

/** A line that says its name. */
export function line(customId: string, model: string, body: object = {}) {
  const messages = [{ role: 'user', content: customId }];
  return { custom_id: customId, method: 'POST', url: CHAT, body: { model, messages, ...body } };
}

export async function linesOf<Body>(from: OpenAI, fileId: string | null | undefined): Promise<readonly Line<Body>[]> {
  if (!fileId) return [];
  const text = await (await from.files.content(fileId)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one));
}

/** How often each was asked, by what was said. */
export async function timesAsked(url: string): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const { prompt = '' } of (await readLedger(url)).entries) times.set(prompt, (times.get(prompt) ?? 0) + 1);
  return times;
}

export const namesOf = (lines: readonly Line<unknown>[]) => lines.map(({ custom_id }) => custom_id);
