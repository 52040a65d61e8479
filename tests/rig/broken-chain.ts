import { type Answer, call } from './call.ts';
import type { RunningGateway } from './gateway.ts';
import { readLedger } from './ledger.ts';

/**
 * What a broken target does to a run: `free` sends it on to the next; `final` ends it; `failed` and `lost` end it where
 * no more may be paid for them; `spent` ends it, and is billed.
 */
export type Effect = 'free' | 'final' | 'failed' | 'lost' | 'spent';

export interface Break {
  readonly script: string;
  readonly effect: Effect;
  /** Pictures charged by each request. */
  readonly charged: 0 | 1;
}

const broken = (script: string, effect: Effect, charged: 0 | 1): Break => ({ script, effect, charged });

/** Ten ways in which OpenAI, which answers at once, is broken. */
export const FIRST: readonly Break[] = [
  broken('401', 'free', 0),
  broken('quota', 'free', 0),
  broken('429:600', 'free', 0),
  broken('404', 'free', 0),
  broken('policy', 'final', 0),
  broken('policy-output', 'spent', 1),
  broken('500', 'failed', 0),
  broken('reset-after-accept', 'lost', 1),
  broken('502-html', 'lost', 1),
  broken('truncated', 'spent', 1),
];

/** Ten ways in which Black Forest Labs, whose pictures are jobs, is broken. */
export const SECOND: readonly Break[] = [
  broken('401', 'free', 0),
  broken('402', 'free', 0),
  broken('403', 'free', 0),
  broken('400', 'final', 0),
  broken('moderated', 'final', 0),
  broken('500', 'failed', 0),
  broken('failed', 'failed', 0),
  broken('submit-lost', 'lost', 1),
  broken('502-html', 'lost', 1),
  broken('expired-url', 'spent', 1),
];

export type Payment = 'strict' | 'standard' | 'available';

export interface Fate {
  /** Whether the third target makes the picture. */
  readonly picture: boolean;
  /** How often each target may have cost something, in order. */
  readonly payments: readonly number[];
  /** The targets that are asked, 1 to 3. */
  readonly asked: number;
}

/**
 * What must become of a chain, told from the meaning of payment alone: what is lost may be asked for again on the same
 * target, but the last payment goes to the next.
 */
export function fateOf(breaks: readonly Break[], payment: Payment, mostPaid: number): Fate {
  const payments: number[] = [];
  const paid = () => payments.reduce((sum, one) => sum + one, 0);
  for (const { effect } of breaks) {
    const maySpend = payment === 'available' || (payment === 'standard' && effect === 'failed');
    const repeats = maySpend && (effect === 'failed' || effect === 'lost');
    const costs = effect === 'free' || effect === 'final' ? 0 : 1;
    payments.push(repeats ? Math.max(1, mostPaid - 1 - paid()) : costs);
    const goesOn = effect === 'free' || (repeats && paid() < mostPaid);
    if (!goesOn) return { picture: false, payments, asked: payments.length };
  }
  return { picture: true, payments: [...payments, 1], asked: payments.length + 1 };
}

/** What stands on the bill of the prompt, by the line's model without what follows the provider. */
export async function billOf({ sandboxUrl }: RunningGateway, prompt: string) {
  const { entries } = await readLedger(sandboxUrl);
  const own = entries.filter((entry) => entry.prompt === prompt);
  const at = (provider: string) => {
    const lines = own.filter(({ model }) => model.startsWith(provider));
    return { requests: lines.length, charged: lines.reduce((sum, { charged }) => sum + charged, 0) };
  };
  return { first: at('openai/'), second: at('bfl/'), third: at('ok'), total: at('') };
}

export function askRoute(
  gateway: RunningGateway,
  route: string,
  prompt: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return call(`${gateway.url}/v1/images/generations`, { body: { model: route, prompt, size: '64x64' }, headers });
}
