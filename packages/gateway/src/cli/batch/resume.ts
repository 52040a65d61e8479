import { resolve } from 'node:path';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { type Reached, reachGateway } from '../reach.ts';
import { isChatBatch, resumeChatBatch } from './chat-batch.ts';
import type { SessionBegan } from './events.ts';
import { type OpenBatch, openBatch } from './folder.ts';
import { gatewayName } from './gateway-name.ts';
import { isOpen } from './manifest.ts';
import { runAndTell } from './run-and-tell.ts';
import { manifestOf } from './session.ts';
import { taskCalls } from './task-calls.ts';

export interface ResumeOptions {
  /** Codes or kinds of failed lines to repeat. */
  readonly only?: readonly string[];
  readonly retryUnknown?: boolean;
  /** Replaces the cap of the session before. */
  readonly maxCost?: number;
  readonly concurrency: number;
  readonly json?: boolean;
}

/** Tasks that are asked after to know a gateway by. */
const MAX_PROBES = 3;

/**
 * `onetake batch resume` and, without `pending`, `onetake batch retry`: first what is open, then lines that were never
 * sent and those that were asked for by name.
 */
export async function resumeBatch(
  context: CliContext,
  directory: string,
  options: ResumeOptions & { readonly pending: boolean },
): Promise<number> {
  const { only = [], retryUnknown = false, pending, concurrency, json = false } = options;
  if (await isChatBatch(resolve(context.cwd, directory))) return resumeChatBatch(context, directory, options);
  if (!pending && only.length === 0 && !retryUnknown)
    throw new CliError('--only is missing: the codes or kinds to repeat, as report.json lists them', EXIT.usage);
  const open = await openBatch(resolve(context.cwd, directory));
  try {
    const gateway = await reachGateway(context);
    try {
      await checkGateway(context, open, gateway);
      const selection = { pending, only: new Set(only), unknown: retryUnknown };
      const capUsd = options.maxCost ?? lastCap(open);
      return await runAndTell(context, open, gateway, { selection, capUsd, concurrency, json });
    } finally {
      await gateway.close();
    }
  } finally {
    await open.close();
  }
}

function lastCap({ events, batch }: OpenBatch): number | null {
  const last = events.findLast((event): event is SessionBegan => event.type === 'session');
  return last ? last.max_cost_usd : batch.max_cost_usd;
}

/**
 * Another gateway knows neither the keys nor the tasks of open lines: what is repeated there is paid for again. One of
 * another name passes when it knows a task of this batch.
 */
async function checkGateway(context: CliContext, open: OpenBatch, gateway: Reached): Promise<void> {
  const here = gatewayName(context);
  const states = [...manifestOf(open).lines()];
  if (here === open.batch.gateway || !states.some(isOpen)) return;
  const known = states.map((state) => state.task ?? state.end?.task).filter((task) => task !== undefined);
  const calls = taskCalls(gateway);
  for (const task of known.slice(-MAX_PROBES)) {
    const answer = await calls.read(task, 0, context.signal);
    if (answer.kind === 'told') return;
  }
  throw new CliError(
    `this batch was sent through ${open.batch.gateway}, and here it would go through ${here}, which does not know it: what is open could be paid for twice; run it where it began, set ONETAKE_URL or ONETAKE_DATA, or correct "gateway" in batch.json`,
    EXIT.usage,
  );
}
