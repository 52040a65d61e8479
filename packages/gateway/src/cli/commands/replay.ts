import { rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isObject, type JsonObject } from '@onetake/core';
import type { Command } from 'commander';
import { type CurlFile, curlCommand, type PictureRef, picturesInside } from '../../upstream/curl.ts';
import { type Ask, withGateway } from '../ask.ts';
import { exchange } from '../call.ts';
import { confirmed } from '../confirm.ts';
import type { CliContext } from '../context.ts';
import { deliver } from '../deliver.ts';
import { CliError, EXIT, messageOf } from '../exit.ts';
import { findGeneration } from '../find-generation.ts';
import { postImages } from '../image-call.ts';
import { whole } from '../option-values.ts';
import { checkWritable } from '../picture-file.ts';
import { type Reached, reachGateway } from '../reach.ts';
import { count, oneLine, priceText } from '../text.ts';

export interface ReplayOptions {
  readonly output?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly curl?: boolean;
  readonly attempt?: number;
  readonly run?: number;
}

/** Describes `onetake replay`. */
export function describeReplay(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command
    .description(
      'make a generation again, after telling what that costs; or print its request to the provider for curl',
    )
    .option('-o, --output <file>', 'where to write the picture; default: <id>-again.png here')
    .option('--yes', 'agree to what it costs')
    .option('--curl', 'print a command that sends the same request to the provider; nothing is sent')
    .option('--attempt <n>', 'with --curl: which attempt; default: the last', whole(1, 9_999))
    .option('--run <n>', 'with --curl: of a generation of several calls which one, from 0', whole(0, 9_999))
    .option('--json', 'print what was written, or the request, as JSON')
    .action((id: string, options: ReplayOptions) => run(replay(context, id, options)));
}

/** Makes an earlier generation once more through the gateway, or prints what was sent to its provider as a command. */
export async function replay(context: CliContext, id: string, options: ReplayOptions): Promise<number> {
  if (options.curl) return withGateway(context, (ask, gateway) => printCurl(context, ask, gateway.url, id, options));
  if (options.attempt !== undefined || options.run !== undefined)
    throw new CliError('--attempt and --run choose a request for --curl; add it, or leave them out', EXIT.usage);
  const earlier = await withGateway(context, (ask) => findGeneration(ask, id));
  if (!isObject(earlier.request) || typeof earlier.request.prompt !== 'string')
    throw new CliError(
      `${String(earlier.id)} is an answer of chat; what was said is not stored, so send its request again`,
    );
  const wanted = resolve(context.cwd, options.output ?? `${String(earlier.id)}-again.png`);
  checkWritable(wanted);
  if (!(await isAgreed(context, earlier, options.yes === true))) {
    context.stderr.write('nothing was sent\n');
    return EXIT.failed;
  }
  const gateway = await reachGateway(context);
  try {
    return await again(context, gateway, earlier, { wanted, json: options.json === true });
  } finally {
    await gateway.close();
  }
}

async function again(
  context: CliContext,
  gateway: Reached,
  { id, request }: JsonObject,
  { wanted, json }: { readonly wanted: string; readonly json: boolean },
): Promise<number> {
  const before = isObject(request) ? request : {};
  context.stderr.write(`making ${String(id)} again…\n`);
  const startedAt = performance.now();
  const body = Buffer.from(JSON.stringify({ response_format: 'b64_json' }));
  const post = { contentType: 'application/json', body };
  const answer = await postImages(gateway, `/v1/generations/${String(id)}/regenerate`, post, context.signal);
  const timeMs = Math.round(performance.now() - startedAt);
  const order = { prompt: String(before.prompt ?? ''), n: Number(before.n ?? 1) };
  return deliver(context, gateway, { wanted, order, answer, timeMs, json });
}

async function isAgreed(context: CliContext, earlier: JsonObject, yes: boolean): Promise<boolean> {
  const told = costTold(earlier);
  if (told === undefined) return true;
  if (yes) context.stderr.write(`${told}\n`);
  return yes || confirmed(`${told}; make it again?`, context);
}

/** What a second time costs, in a sentence; undefined where it costs nothing. */
function costTold({ id, again_usd: usd, possible_charges: possible, status }: JsonObject): string | undefined {
  if (usd === 0) return undefined;
  const price =
    typeof usd === 'number'
      ? `making ${String(id)} again costs about ${priceText(usd)}`
      : `making ${String(id)} again costs money, and its price is unknown`;
  const twice =
    typeof possible === 'number' && possible > 0
      ? `; nobody knows whether ${count(possible, 'attempt')} of it ${possible === 1 ? 'was' : 'were'} billed, so the same may be paid twice`
      : '';
  const made = status === 'completed' ? '; its picture is there already' : '';
  return `${price}${twice || made}`;
}

async function printCurl(
  { cwd, stdout, stderr, signal }: CliContext,
  ask: Ask,
  gatewayUrl: string,
  id: string,
  { attempt, run, json }: ReplayOptions,
): Promise<number> {
  const { id: found } = await findGeneration(ask, id);
  const chosen = Object.entries({ attempt, run }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const query = chosen.length > 0 ? `?${new URLSearchParams(chosen)}` : '';
  const view = await ask('GET', `/v1/generations/${String(found)}/upstream${query}`);
  if (json) {
    stdout.write(`${JSON.stringify(view)}\n`);
    return EXIT.ok;
  }
  if (Array.isArray(view.stand_ins) && view.stand_ins.length > 0)
    throw new CliError(
      `${String(found)} was made of ${count(view.stand_ins.length, 'upload')} whose names only the provider knew, so no command can send the same; --json shows it with ${view.stand_ins.map(String).join(', ')} in their place`,
    );
  const fetchPicture = (ref: PictureRef) => readPicture(gatewayUrl, ref, signal);
  const inside = await Promise.all(
    picturesInside(view).map(async (ref) => [ref.sha256, await fetchPicture(ref)] as const),
  );
  const { command, files } = curlCommand(view, `replay-${String(found)}`, new Map(inside));
  for (const file of files) {
    const path = resolve(cwd, file.name);
    await writePrivately(path, 'text' in file ? Buffer.from(file.text) : await fetchPicture(file.picture));
    stderr.write(`wrote ${path}, which the command reads${describeFile(file)}\n`);
  }
  stdout.write(`${command}\n`);
  return EXIT.ok;
}

function describeFile(file: CurlFile): string {
  return 'text' in file ? '; it holds the prompt' : '';
}

/** Below the address the gateway was reached at: its public one may be closed from here. */
async function readPicture(gatewayUrl: string, { url, sha256 }: PictureRef, signal: AbortSignal): Promise<Buffer> {
  const name = url.split('/').at(-1) ?? '';
  const { status, bytes } = await exchange(`${gatewayUrl}/v1/assets/${name}`, { timeoutMs: 60_000, signal });
  if (status === 200) return bytes;
  throw new CliError(
    `the picture ${oneLine(sha256, 64)} that it was made from is not stored any more (HTTP ${status})`,
  );
}

/** Only its owner may read it, also where a file was there before. */
async function writePrivately(path: string, bytes: Buffer): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, bytes, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    throw new CliError(`${path}: cannot be written (${messageOf(error)})`);
  });
}
