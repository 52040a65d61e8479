import { resolve } from 'node:path';
import { isObject, type JsonObject } from '@onetake/core';
import type { CliContext } from '../context.ts';
import { deliver } from '../deliver.ts';
import { readGenerationView } from '../effective.ts';
import { CliError, messageOf } from '../exit.ts';
import { postImages } from '../image-call.ts';
import { checkWritable } from '../picture-file.ts';
import { type Reached, reachGateway } from '../reach.ts';
import { priceText } from '../text.ts';

export interface RegenerateOptions {
  readonly output: string;
  readonly prompt?: string;
  readonly model?: string;
  readonly n?: number;
  readonly seed?: number;
  readonly timeoutMs?: number;
  readonly payment?: string;
  readonly json?: boolean;
}

/** Makes an earlier generation once more into a file: the same request with the same seed, but for what is changed. */
export async function regenerate(context: CliContext, id: string, options: RegenerateOptions): Promise<number> {
  const { cwd, stderr, signal } = context;
  const { output, json = false, timeoutMs, payment, ...changes } = options;
  const wanted = resolve(cwd, output);
  checkWritable(wanted);
  const gateway = await reachGateway(context);
  try {
    const earlier = await readEarlier(gateway, id, signal);
    stderr.write(`regenerating ${id}${costOf(earlier)}…\n`);
    const startedAt = performance.now();
    const post = {
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify({ ...changes, response_format: 'b64_json' })),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(payment !== undefined && { payment }),
    };
    const path = `/v1/generations/${encodeURIComponent(id)}/regenerate`;
    const answer = await postImages(gateway, path, post, signal);
    const timeMs = Math.round(performance.now() - startedAt);
    const { request } = earlier;
    const before = isObject(request) ? request : {};
    const order = {
      prompt: changes.prompt ?? String(before.prompt ?? ''),
      n: changes.n ?? Number(before.n ?? 1),
      ...(changes.seed !== undefined && { seed: changes.seed }),
    };
    return await deliver(context, gateway, { wanted, order, answer, timeMs, json });
  } finally {
    await gateway.close();
  }
}

async function readEarlier(gateway: Reached, id: string, signal: AbortSignal): Promise<JsonObject> {
  const view = await readGenerationView(gateway, id, signal).catch((error: unknown) => {
    throw new CliError(`the gateway at ${gateway.url} broke off: ${messageOf(error)}`);
  });
  if (view) return view;
  throw new CliError(`generation "${id}": there is none of this id; onetake generations lists them`);
}

/** What it cost the first time is the best there is to say of the second. */
function costOf({ price_usd: price }: JsonObject): string {
  return typeof price === 'number' ? `, which cost ${priceText(price)}` : ', price unknown';
}
