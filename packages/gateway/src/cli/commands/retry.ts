import type { JsonObject } from '@onetake/core';
import { withGateway } from '../ask.ts';
import { textCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { priceText } from '../text.ts';
import { regenerate } from './regenerate.ts';

export interface RetryOptions {
  readonly payAgain?: boolean;
  readonly output?: string;
  readonly timeoutMs?: number;
  readonly json?: boolean;
}

/** Makes a generation again; where the first is or may be billed, only with the word of who pays. */
export async function retryGeneration(
  context: CliContext,
  id: string,
  { payAgain, output, ...options }: RetryOptions,
): Promise<number> {
  const earlier = await withGateway(context, (ask) => ask('GET', `/v1/generations/${encodeURIComponent(id)}`));
  const why = whyNot(earlier);
  if (why !== undefined && !payAgain) throw new CliError(`${textCell(id)} ${why}`, EXIT.failed);
  context.stderr.write(BOOKED);
  return regenerate(context, id, { ...options, output: output ?? `${textCell(earlier.id)}.png` });
}

const BOOKED = 'note: it is booked to the key that asks now, whosever the first was, and counts in that key’s budget\n';

/** Undefined where making it again pays for nothing twice. */
function whyNot({ status, billed, price_usd: price, possible_usd: possible }: JsonObject): string | undefined {
  if (status === 'pending' || status === 'processing') return 'is still being made; wait for its end, then look again';
  if (billed === 'maybe') {
    const cost = typeof possible === 'number' ? priceText(possible) : 'a price nobody knows';
    return `may have been billed ${cost}, and another one is billed too: look it up at the provider and say what became of it with "onetake generations settle", or add --pay-again`;
  }
  if (billed !== 'yes') return undefined;
  const cost = typeof price === 'number' ? priceText(price) : 'a price nobody knows';
  return `was billed ${cost}, and another one is billed too; add --pay-again`;
}
