import { randomBytes } from 'node:crypto';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { CHAT_ENDPOINTS, isObject } from '@onetake/core';
import { checkInput } from '../../batches/check-input.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { writeAtomically } from '../picture-file.ts';
import { reachGateway } from '../reach.ts';
import { count } from '../text.ts';
import { CHAT_FILES, type ChatBatchFile, type ChatHome } from './chat-home.ts';
import { runChatBatch } from './chat-session.ts';
import { checkEmpty, makeDirectory } from './folder.ts';
import { gatewayName } from './gateway-name.ts';
import { takeLock } from './lock.ts';

const URLS: ReadonlySet<unknown> = new Set(CHAT_ENDPOINTS.map((endpoint) => `/v1/${endpoint}`));

/** The endpoint of a file of OpenAI's request lines for chat, by its first line; undefined for any other file. */
export function chatEndpointIn(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = text.indexOf('{');
  const end = text.indexOf('\n', Math.max(start, 0));
  try {
    const first: unknown = JSON.parse(text.toString('utf8', Math.max(start, 0), end < 0 ? undefined : end));
    const isRequest = isObject(first) && typeof first.custom_id === 'string' && URLS.has(first.url);
    return isRequest ? String(first.url) : undefined;
  } catch {
    return undefined;
  }
}

/** Options of pictures; all that a line of chat says stands in the line. */
const OF_PICTURES = ['model', 'size', 'quality', 'n', 'seed', 'format', 'background', 'payment'] as const;

interface ChatBeginOptions extends Partial<Readonly<Record<(typeof OF_PICTURES)[number], unknown>>> {
  readonly out?: string;
  readonly maxCost?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const NO_CAP =
  '--max-cost: what an answer of chat costs shows only when it is there, so a cap could not be kept; leave it out, and bound each line by max_completion_tokens';

/** `onetake batch <file>` where the lines ask for chat: the gateway's own batch, its files in a directory. */
export async function beginChatBatch(
  context: CliContext,
  { bytes, endpoint }: { readonly bytes: Uint8Array; readonly endpoint: string },
  options: ChatBeginOptions,
): Promise<number> {
  const strange = OF_PICTURES.find((name) => options[name] !== undefined);
  if (strange) throw new CliError(`--${strange}: a line of chat says all itself; put it into its "body"`, EXIT.usage);
  if (options.maxCost !== undefined) throw new CliError(NO_CAP, EXIT.usage);
  const { total, faults } = await check(bytes, endpoint);
  if (faults.length > 0 || options.dryRun) {
    const problems = faults.map(({ line, code, message }) => ({ line, code, message }));
    if (options.json) context.stdout.write(`${JSON.stringify({ type: 'estimate', lines: total, problems })}\n`);
    else if (faults.length === 0)
      context.stdout.write(`${count(total, 'line')} for ${endpoint}\nprice      unknown: ${PRICE}\n`);
    if (faults.length === 0) return EXIT.ok;
    const told = faults.map(({ message }) => `  ${message}\n`).join('');
    context.stderr.write(`onetake: lines are in the wrong format, so nothing was sent\n${told}`);
    return EXIT.failed;
  }
  const directory = resolve(context.cwd, options.out ?? '');
  const gateway = gatewayName(context);
  await makeDirectory(directory);
  return locked(directory, async () => {
    await checkEmpty(directory);
    await writeAtomically(join(directory, CHAT_FILES.requests), bytes);
    const key = randomBytes(9).toString('hex');
    await save(directory, { version: 1, key, gateway, endpoint, lines: total });
    context.stderr.write(`${count(total, 'line')} into ${relative(context.cwd, directory) || '.'}\n`);
    return run(context, directory, options.json ?? false);
  });
}

const PRICE = 'tokens show only in the answers';

export async function isChatBatch(directory: string): Promise<boolean> {
  return access(join(directory, CHAT_FILES.batch)).then(
    () => true,
    () => false,
  );
}

interface ChatResumeOptions {
  readonly pending: boolean;
  readonly only?: readonly string[];
  readonly retryUnknown?: boolean;
  readonly maxCost?: number;
  readonly json?: boolean;
}

/** `onetake batch resume`: follows what the gateway has, or sends what it has not. */
export async function resumeChatBatch(
  context: CliContext,
  directory: string,
  options: ChatResumeOptions,
): Promise<number> {
  if (options.maxCost !== undefined) throw new CliError(NO_CAP, EXIT.usage);
  if (!options.pending || options.only || options.retryUnknown)
    throw new CliError(
      `a batch of chat is not repeated in its directory; begin another: onetake batch ${join(directory, CHAT_FILES.failed)} --out <dir>`,
      EXIT.usage,
    );
  const home = resolve(context.cwd, directory);
  return locked(home, () => run(context, home, options.json ?? false));
}

async function run(context: CliContext, directory: string, json: boolean): Promise<number> {
  let state = JSON.parse(await readFile(join(directory, CHAT_FILES.batch), 'utf8')) as ChatBatchFile;
  const home: ChatHome = {
    directory,
    state: () => state,
    requests: () => readFile(join(directory, CHAT_FILES.requests)),
    async save(change) {
      state = { ...state, ...change };
      await save(directory, state);
    },
  };
  const gateway = await reachGateway(context);
  try {
    return await runChatBatch(context, home, gateway, json);
  } finally {
    await gateway.close();
  }
}

async function locked(directory: string, work: () => Promise<number>): Promise<number> {
  const unlock = await takeLock(join(directory, CHAT_FILES.lock));
  return work().finally(unlock);
}

function save(directory: string, state: ChatBatchFile): Promise<void> {
  return writeAtomically(join(directory, CHAT_FILES.batch), Buffer.from(`${JSON.stringify(state, undefined, 2)}\n`));
}

/** As the gateway will, before anything is sent. */
async function check(bytes: Uint8Array, endpoint: string) {
  const scratch = await mkdtemp(join(tmpdir(), 'onetake-batch-'));
  try {
    const path = join(scratch, CHAT_FILES.requests);
    await writeFile(path, bytes, { mode: 0o600 });
    return await checkInput(path, endpoint);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
