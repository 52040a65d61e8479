import { join, relative } from 'node:path';
import { isObject, type JsonObject } from '@onetake/core';
import { call, exchange, objectIn } from '../call.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT, interrupted, messageOf } from '../exit.ts';
import { writeAtomically } from '../picture-file.ts';
import type { Reached } from '../reach.ts';
import { oneLine } from '../text.ts';
import { CHAT_FILES, type ChatHome } from './chat-home.ts';
import { askPatiently } from './patience.ts';
import { systemClock } from './session.ts';
import { type Answered, answered } from './task-calls.ts';

const CALL_TIMEOUT_MS = 60_000;
const FILE_TIMEOUT_MS = 600_000;
const LOOK_EVERY_MS = 1_000;
const TELL_EVERY_MS = 5_000;

/** The gateway's batch, as far as it is told here. */
interface BatchView {
  readonly id: string;
  readonly status: string;
  readonly outputFile: string | undefined;
  readonly errorFile: string | undefined;
  readonly counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly usage: JsonObject | undefined;
  readonly faults: readonly string[];
}

const ENDS: ReadonlySet<string> = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** One process at work on a batch of chat: sends what the gateway has not, waits for its end, and fetches its files. */
export async function runChatBatch(
  context: CliContext,
  home: ChatHome,
  gateway: Reached,
  json: boolean,
): Promise<number> {
  const resumeBy = `onetake batch resume ${relative(context.cwd, home.directory) || '.'}`;
  const asking = patiently(context, `go on by ${resumeBy}`);
  await send(home, gateway, asking);
  const batch = await follow(context, home, gateway, asking);
  if (batch.status === 'failed') {
    const why = batch.faults.map((fault) => `  ${oneLine(fault)}\n`).join('');
    throw new CliError(`the gateway refused the batch\n${why}`);
  }
  await fetchFiles(home, batch, gateway, asking);
  const { total, completed, failed } = batch.counts;
  const { endpoint } = home.state();
  const { id, status, usage } = batch;
  const report = { batch: id, endpoint, status, lines: total, completed, failed, usage: usage ?? null };
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  await writeAtomically(join(home.directory, CHAT_FILES.report), Buffer.from(text));
  const exitCode = completed === total ? EXIT.ok : EXIT.failed;
  const summary = `${JSON.stringify({ type: 'summary', exit_code: exitCode, ...report })}\n`;
  context.stdout.write(json ? summary : told(batch, relative(context.cwd, home.directory) || '.'));
  return exitCode;
}

type Asking = <Value>(ask: (signal: AbortSignal) => Promise<Answered<Value>>) => Promise<Value>;

/** Asks until the gateway answers; throws a `CliError` for a refusal, an interrupt, and a gateway that is away. */
function patiently({ signal }: CliContext, goOn: string): Asking {
  const gate = { notBefore: 0 };
  return async (ask) => {
    const answer = await askPatiently(() => ask(signal), { clock: systemClock, gate, signal }).catch((error) => {
      throw error instanceof CliError ? error : new CliError(`${messageOf(error)}; ${goOn}`);
    });
    if (answer === undefined) throw interrupted(`; ${goOn}`);
    if (answer.kind === 'told') return answer.value;
    throw new CliError(answer.kind === 'gone' ? 'the gateway does not know it' : `${answer.code}: ${answer.message}`);
  };
}

/** Each step is on the disk before the next: sent again with its key, the gateway answers with the batch it made. */
async function send(home: ChatHome, { url, headers }: Reached, asking: Asking): Promise<void> {
  if (home.state().file === undefined) {
    const form = new FormData();
    form.append('purpose', 'batch');
    form.append('file', new Blob([Uint8Array.from(await home.requests())]), CHAT_FILES.requests);
    const sent = new Response(form);
    const body = new Uint8Array(await sent.arrayBuffer());
    const own = { ...headers, 'content-type': sent.headers.get('content-type') ?? '' };
    const post = { method: 'POST', headers: own, body, timeoutMs: FILE_TIMEOUT_MS } as const;
    const upload = (signal: AbortSignal) => answered(() => call(`${url}/v1/files`, { ...post, signal }), idIn);
    await home.save({ file: await asking(upload) });
  }
  const { file, batch, key, endpoint } = home.state();
  if (batch !== undefined || file === undefined) return;
  const wanted = { input_file_id: file, endpoint, completion_window: '24h' };
  const own = { ...headers, 'content-type': 'application/json', 'idempotency-key': `batch-${key}` };
  const body = Buffer.from(JSON.stringify(wanted));
  const post = { method: 'POST', headers: own, body, timeoutMs: CALL_TIMEOUT_MS } as const;
  const create = (signal: AbortSignal) => answered(() => call(`${url}/v1/batches`, { ...post, signal }), idIn);
  await home.save({ batch: await asking(create) });
}

async function follow(
  { signal, stderr }: CliContext,
  home: ChatHome,
  { url, headers }: Reached,
  asking: Asking,
): Promise<BatchView> {
  const { batch: id = '', gateway } = home.state();
  const read = async (ending: AbortSignal) => {
    const options = { headers, timeoutMs: CALL_TIMEOUT_MS, signal: ending };
    const answer = await answered(() => call(`${url}/v1/batches/${id}`, options), viewOf);
    if (answer.kind !== 'refused' || answer.status !== 404) return answer;
    throw new CliError(`the gateway does not know ${id}; it was sent through ${gateway}`, EXIT.usage);
  };
  for (let toldAt = 0; ; ) {
    const batch = await asking(read);
    const { total, completed, failed } = batch.counts;
    const isOver = ENDS.has(batch.status);
    if (isOver || systemClock.now() - toldAt >= TELL_EVERY_MS) {
      toldAt = systemClock.now();
      stderr.write(`${completed}/${total} answered · ${failed} failed · ${total - completed - failed} left\n`);
    }
    if (isOver) return batch;
    await systemClock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function fetchFiles(home: ChatHome, batch: BatchView, gateway: Reached, asking: Asking): Promise<void> {
  const output = await contentOf(batch.outputFile, gateway, asking);
  const errors = await contentOf(batch.errorFile, gateway, asking);
  const failed = linesNamed(await home.requests(), namesIn(errors));
  for (const [name, bytes] of [
    [CHAT_FILES.output, output],
    [CHAT_FILES.errors, errors],
    [CHAT_FILES.failed, Buffer.from(failed.join(''))],
  ] as const)
    await writeAtomically(join(home.directory, name), bytes);
}

async function contentOf(file: string | undefined, { url, headers }: Reached, asking: Asking): Promise<Buffer> {
  if (file === undefined) return Buffer.alloc(0);
  return asking((signal) => {
    let content: Buffer = Buffer.alloc(0);
    const fetched = async () => {
      const options = { headers, timeoutMs: FILE_TIMEOUT_MS, signal };
      const answer = await exchange(`${url}/v1/files/${file}/content`, options);
      content = answer.bytes;
      // A file of lines is no JSON; what is answered in its place is.
      return { ...answer, body: answer.status === 200 ? {} : objectIn(answer.bytes) };
    };
    return answered(fetched, () => content);
  });
}

function namesIn(lines: Buffer): ReadonlySet<unknown> {
  const texts = lines.toString('utf8').split('\n');
  return new Set(texts.filter((text) => text !== '').map((text) => (JSON.parse(text) as JsonObject).custom_id));
}

/** The lines of the input with these names, as an input of their own. */
function linesNamed(requests: Buffer, names: ReadonlySet<unknown>): readonly string[] {
  if (names.size === 0) return [];
  const texts = requests
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split('\n');
  const isNamed = (text: string) => text.trim() !== '' && names.has((JSON.parse(text) as JsonObject).custom_id);
  return texts.filter(isNamed).map((text) => `${text.trim()}\n`);
}

function idIn({ id }: JsonObject): string | undefined {
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function viewOf(body: JsonObject): BatchView | undefined {
  const { id, status, request_counts: counts, usage, errors } = body;
  if (typeof id !== 'string' || typeof status !== 'string' || !isObject(counts)) return undefined;
  const file = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const faults = isObject(errors) && Array.isArray(errors.data) ? errors.data.filter(isObject) : [];
  return {
    ...{ id, status, outputFile: file(body.output_file_id), errorFile: file(body.error_file_id) },
    counts: { total: Number(counts.total), completed: Number(counts.completed), failed: Number(counts.failed) },
    usage: isObject(usage) ? usage : undefined,
    faults: faults.map(({ message }) => String(message)),
  };
}

function told({ counts: { total, completed, failed }, usage }: BatchView, directory: string): string {
  const tokens = usage ? `tokens     ${usage.input_tokens} in, ${usage.output_tokens} out\n` : '';
  const lines = `lines      ${completed} of ${total} answered, ${failed} failed\n`;
  return `${lines}${tokens}answers    ${join(directory, CHAT_FILES.output)}\n`;
}
