import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';
import type { RunningGateway } from './gateway.ts';
import { chargesByPrompt, readLedger } from './ledger.ts';
import { until } from './poll.ts';

export const ENDPOINT = '/v1/images/generations' as const;
const PATIENCE_MS = 60_000;

/** The official SDK, pointed at a gateway. */
export function clientOf({ url }: RunningGateway): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', logLevel: 'off' });
}

/** A line of an output or error file. */
export interface Line {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: Answer } | null;
  readonly error: { readonly code: string } | null;
}

interface Answer {
  readonly data?: readonly { readonly url?: string; readonly b64_json?: string }[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly onetake?: { readonly generation?: string; readonly billed?: string };
}

/** A line of an input file, for a small picture. */
export function request(customId: string, body: object) {
  return { custom_id: customId, method: 'POST', url: ENDPOINT, body: { model: 'ok', size: '64x48', ...body } };
}

export function lines(prefix: string, count: number, model: string) {
  return Array.from({ length: count }, (_, index) => {
    const customId = `${prefix} ${index}`;
    return request(customId, { model, prompt: customId });
  });
}

export async function upload(client: OpenAI, requests: readonly object[]): Promise<string> {
  const text = requests.map((one) => JSON.stringify(one)).join('\n');
  const file = await toFile(Buffer.from(text), 'requests.jsonl');
  return (await client.files.create({ file, purpose: 'batch' })).id;
}

export async function create(
  client: OpenAI,
  requests: readonly object[],
  endpoint: OpenAI.BatchCreateParams['endpoint'] = ENDPOINT,
): Promise<OpenAI.Batch> {
  const input_file_id = await upload(client, requests);
  return client.batches.create({ input_file_id, endpoint, completion_window: '24h' });
}

export const ENDS: readonly string[] = ['completed', 'failed', 'expired', 'cancelled'];

/** The batch once it is over. */
export function ended(client: OpenAI, id: string): Promise<OpenAI.Batch> {
  return until(
    `the end of ${id}`,
    async () => {
      const batch = await client.batches.retrieve(id);
      return ENDS.includes(batch.status) && batch;
    },
    PATIENCE_MS,
  );
}

export async function linesOf(client: OpenAI, fileId: string | undefined): Promise<readonly Line[]> {
  const text = await (await client.files.content(fileId ?? '')).text();
  assert.equal(text.at(-1), '\n');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

export function countsOf({ request_counts }: OpenAI.Batch) {
  return [request_counts?.total, request_counts?.completed, request_counts?.failed];
}

/** Every line is in one of the files, those without a picture are unknown outcomes, and none was charged twice. */
export async function assertPaidOnce(
  client: OpenAI,
  batch: OpenAI.Batch,
  expected: { readonly prefix: string; readonly count: number; readonly sandboxUrl: string },
): Promise<void> {
  const { prefix, count, sandboxUrl } = expected;
  assert.equal(batch.status, 'completed');
  const output = batch.output_file_id ? await linesOf(client, batch.output_file_id) : [];
  const errors = batch.error_file_id ? await linesOf(client, batch.error_file_id) : [];
  assert.deepEqual(countsOf(batch), [count, output.length, errors.length]);
  const known = new Set([...output, ...errors].map(({ custom_id }) => custom_id));
  assert.deepEqual([known.size, output.length + errors.length], [count, count]);
  for (const { custom_id, response } of errors) {
    const { status_code, body } = response ?? {};
    assert.deepEqual(
      [status_code, body?.error?.code, body?.onetake?.billed],
      [424, 'outcome_unknown', 'maybe'],
      custom_id,
    );
  }
  const charges = [...chargesByPrompt(await readLedger(sandboxUrl))].filter(([prompt]) => prompt.startsWith(prefix));
  assert.deepEqual(
    charges.filter(([, charged]) => charged > 1),
    [],
  );
  const charged = new Set(charges.filter(([, pictures]) => pictures > 0).map(([prompt]) => prompt));
  for (const { custom_id } of output) assert.ok(charged.has(custom_id), custom_id);
}
