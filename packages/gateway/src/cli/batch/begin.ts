import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { type JsonObject, nearMatches } from '@onetake/core';
import { IMAGE_FIELDS } from '../../http/image-wire.ts';
import type { CliContext } from '../context.ts';
import { CliError, codeOf, EXIT, messageOf } from '../exit.ts';
import { type Reached, reachGateway } from '../reach.ts';
import { count } from '../text.ts';
import { beginChatBatch, chatEndpointIn } from './chat-batch.ts';
import { estimate } from './estimate.ts';
import { createBatch } from './folder.ts';
import { gatewayName } from './gateway-name.ts';
import { INPUT_LIMITS, type ReadInput, readInput } from './input.ts';
import type { InputLine } from './line.ts';
import { askModels, type Models, picturePrice } from './model-facts.ts';
import { bodyOf, problemOf } from './request.ts';
import { runAndTell } from './run-and-tell.ts';
import { noPrice } from './session.ts';
import { type BadLine, badText, estimateText } from './telling.ts';

export interface BeginOptions {
  readonly out?: string;
  readonly model?: string;
  readonly size?: string;
  readonly quality?: string;
  readonly n?: number;
  readonly seed?: number;
  readonly format?: string;
  readonly background?: string;
  readonly payment?: string;
  readonly maxCost?: number;
  readonly dryRun?: boolean;
  readonly concurrency: number;
  readonly json?: boolean;
}

/** What there is to do, before anything is made of it. */
interface Prepared {
  readonly input: ReadInput;
  readonly name: string;
  readonly fields: JsonObject;
  /** With what their own fields are refused for. */
  readonly lines: readonly InputLine[];
  readonly models: Models;
  readonly usable: readonly JsonObject[];
  readonly bad: readonly BadLine[];
}

/** `onetake batch <file>`: a new batch, or with `dryRun` only what it would come to. */
export async function beginBatch(
  context: CliContext,
  file: string | undefined,
  options: BeginOptions,
): Promise<number> {
  if (file === undefined)
    throw new CliError('which prompts? onetake batch <file> --model <model> --out <dir>; - reads stdin', EXIT.usage);
  if (options.out === undefined && !options.dryRun)
    throw new CliError(
      '--out is missing: a new directory for the pictures; or --dry-run to see what it would cost',
      EXIT.usage,
    );
  const name = file === '-' ? 'stdin' : basename(file);
  const bytes = file === '-' ? await readStdin(context) : await readFileAt(context.cwd, file);
  const endpoint = chatEndpointIn(bytes);
  if (endpoint !== undefined) return beginChatBatch(context, { bytes, endpoint }, options);
  const input = readInput(bytes, name);
  const fields = fieldsOf(options);
  const lines = input.lines.map((line) => withProblem(line, fields));
  noticeStrangeFields(context, lines);
  return options.dryRun
    ? dryRun(context, { input, name, fields, lines }, options)
    : begin(context, { input, name, fields, lines }, options);
}

type Read = Pick<Prepared, 'input' | 'name' | 'fields' | 'lines'>;

async function begin(context: CliContext, read: Read, options: BeginOptions): Promise<number> {
  const gatewayIs = gatewayName(context);
  const gateway = await reachGateway(context);
  try {
    const { usable, bad, models, lines, fields } = await prepare(read, gateway, context.signal);
    if (usable.length === 0) return nothingWorks(context, bad, options);
    const capUsd = options.maxCost ?? null;
    if (capUsd !== null) checkPrices(usable, models);
    const directory = resolve(context.cwd, options.out ?? '');
    const open = await createBatch(
      directory,
      {
        version: 1,
        id: randomBytes(9).toString('hex'),
        created: new Date().toISOString(),
        gateway: gatewayIs,
        input: { name: read.name, format: read.input.format, lines: lines.length },
        fields,
        max_cost_usd: capUsd,
      },
      lines,
    );
    try {
      context.stderr.write(`${count(lines.length, 'line')} into ${relative(context.cwd, directory) || '.'}\n`);
      if (!options.json) context.stderr.write(badText(bad));
      const selection = { pending: true, only: new Set<string>(), unknown: false };
      const { concurrency, json = false } = options;
      return await runAndTell(context, open, gateway, { selection, capUsd, concurrency, json });
    } finally {
      await open.close();
    }
  } finally {
    await gateway.close();
  }
}

/**
 * Asks only what costs nothing. A gateway that has to be started for it stands on an empty directory: on the usual one
 * it would go on with what waits there, and that costs.
 */
async function dryRun(context: CliContext, read: Read, options: BeginOptions): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'onetake-dry-run-'));
  const env = { ...context.env, ONETAKE_DATA: scratch, ONETAKE_DATABASE_URL: undefined, ONETAKE_ASSETS: undefined };
  try {
    const gateway = await reachGateway({ ...context, env });
    try {
      const { usable, bad, models } = await prepare(read, gateway, context.signal);
      if (usable.length === 0) return nothingWorks(context, bad, options);
      const told = estimate(usable, models);
      const line = { type: 'estimate', ...told, problems: bad.map(problemLine) };
      context.stdout.write(options.json ? `${JSON.stringify(line)}\n` : estimateText(told, bad));
      return EXIT.ok;
    } finally {
      await gateway.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function nothingWorks(context: CliContext, bad: readonly BadLine[], { json }: BeginOptions): number {
  if (json) context.stdout.write(`${JSON.stringify({ type: 'estimate', lines: 0, problems: bad.map(problemLine) })}\n`);
  context.stderr.write(`onetake: no line can work, so nothing was sent\n${badText(bad)}`);
  return EXIT.failed;
}

function problemLine({ line, problem }: BadLine) {
  return { line, ...problem };
}

async function prepare(read: Read, gateway: Reached, signal: AbortSignal): Promise<Prepared> {
  const { lines, fields } = read;
  const bodies = lines.map((line) => (line.problem ? undefined : bodyOf(line, fields)));
  const names = new Set(bodies.flatMap((body) => (body ? [String(body.model)] : [])));
  const models = await askModels(gateway, names, signal);
  const usable: JsonObject[] = [];
  const bad: BadLine[] = [];
  for (const [index, { line, problem: own }] of lines.entries()) {
    const body = bodies[index];
    const facts = models.get(String(body?.model));
    const problem = own ?? (facts && 'code' in facts ? facts : undefined);
    if (problem) bad.push({ line, problem });
    else if (body) usable.push(body);
  }
  return { ...read, models, usable, bad };
}

function checkPrices(bodies: readonly JsonObject[], models: Models): void {
  for (const body of bodies) {
    const model = String(body.model);
    const facts = models.get(model);
    if (facts && 'price' in facts && picturePrice(facts.price, body) === undefined) throw noPrice(model);
  }
}

function fieldsOf({ model, size, quality, n, seed, format, background, payment }: BeginOptions): JsonObject {
  const fields = { model, size, quality, n, seed, output_format: format, background, onetake: payment && { payment } };
  return Object.fromEntries(Object.entries(fields).filter((field) => field[1] !== undefined)) as JsonObject;
}

function withProblem(line: InputLine, fields: JsonObject): InputLine {
  const problem = problemOf(line, fields);
  return problem ? { ...line, problem } : line;
}

/** They pass to the provider unread; a slip of the pen in one would buy every picture without it. */
function noticeStrangeFields({ stderr }: CliContext, lines: readonly InputLine[]): void {
  const strange = new Map<string, number>();
  for (const { input, problem } of lines) {
    if (problem) continue;
    for (const name of Object.keys(input)) {
      if (!IMAGE_FIELDS.has(name) && name !== 'onetake') strange.set(name, (strange.get(name) ?? 0) + 1);
    }
  }
  for (const [name, amount] of strange) {
    const [near] = nearMatches(name, [...IMAGE_FIELDS]);
    if (near === undefined) continue;
    const where = count(amount, 'line');
    stderr.write(`note: "${name}" (${where}) passes to the provider unread; did you mean "${near}"?\n`);
  }
}

async function readFileAt(cwd: string, file: string): Promise<Uint8Array> {
  const path = resolve(cwd, file);
  try {
    const { size } = await stat(path);
    if (size > INPUT_LIMITS.bytes)
      throw new CliError(`${file}: larger than ${INPUT_LIMITS.bytes} bytes; split it`, EXIT.usage);
    return await readFile(path);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`${file}: cannot be read (${codeOf(error) ?? messageOf(error)})`, EXIT.usage);
  }
}

async function readStdin({ stdin }: CliContext): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdin ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > INPUT_LIMITS.bytes)
      throw new CliError(`stdin: larger than ${INPUT_LIMITS.bytes} bytes; split it`, EXIT.usage);
  }
  return Buffer.concat(chunks);
}
