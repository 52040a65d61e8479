import type { JsonObject } from '@onetake/core';
import { withGateway } from '../ask.ts';
import { textCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { priceText } from '../text.ts';

export interface SettleOptions {
  readonly charged?: boolean;
  readonly free?: boolean;
  readonly usd?: number;
  readonly json?: boolean;
}

/** Ends an outcome nobody knows by what was found out at the provider. */
export async function settleGeneration(
  context: CliContext,
  id: string,
  { charged, free, usd, json }: SettleOptions,
): Promise<number> {
  if (charged !== true && free !== true)
    throw new CliError('say --charged or --free: which of them it was, the provider’s bill tells', EXIT.usage);
  if (usd !== undefined && free) throw new CliError('--usd: what is free costs nothing; leave it out', EXIT.usage);
  const verdict = { verdict: charged ? 'charged' : 'free', ...(usd !== undefined && { usd }) };
  const path = `/v1/generations/${encodeURIComponent(id)}/settle`;
  const settled = await withGateway(context, (ask) => ask('POST', path, verdict));
  context.stdout.write(json ? `${JSON.stringify(settled)}\n` : `${settledText(settled, free === true)}\n`);
  return EXIT.ok;
}

function settledText({ id, price_usd: price }: JsonObject, isFree: boolean): string {
  if (isFree) return `${textCell(id)} was free; what was held for it can be spent again`;
  return `${textCell(id)} was charged, ${priceText(typeof price === 'number' ? price : undefined)} in all`;
}
