import { call } from './call.ts';

/** What the sandbox counted: requests it read in full, and pictures a provider would bill. */
export interface Count {
  readonly requests: number;
  readonly charged: number;
}

export interface Ledger {
  readonly total: Count;
  /** By model string, without `sandbox/`. */
  readonly models: Readonly<Record<string, Count | undefined>>;
  /** The last 1000 requests, oldest first. */
  readonly entries: readonly LedgerEntry[];
}

export interface LedgerEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly model: string;
  readonly prompt?: string;
  /** The fault played, or `refused: ` and the reason. */
  readonly played: string;
  readonly images: number;
  readonly charged: number;
}

export async function readLedger(sandboxUrl: string): Promise<Ledger> {
  const { status, body } = await call(`${sandboxUrl}/ledger?detail=1`);
  if (status !== 200) throw new Error(`GET /ledger answered ${status}`);
  return body as unknown as Ledger;
}

/** What one model string was asked and charged. */
export async function countOf(sandboxUrl: string, model: string): Promise<Count> {
  const { requests, charged } = (await readLedger(sandboxUrl)).models[model] ?? { requests: 0, charged: 0 };
  return { requests, charged };
}

/** Pictures charged, by prompt. */
export function chargesByPrompt({ entries }: Ledger): ReadonlyMap<string, number> {
  const charges = new Map<string, number>();
  for (const { prompt = '', charged } of entries) charges.set(prompt, (charges.get(prompt) ?? 0) + charged);
  return charges;
}

/** Whether a limit refused it. */
export function isThrottled({ played }: LedgerEntry): boolean {
  return played === 'refused: rate_limit_exceeded';
}

/** The most pictures that were asked for and made within any window of this length. */
export function mostInAnyWindow(entries: readonly LedgerEntry[], windowMs: number): number {
  const made = entries.filter(({ images }) => images > 0).toSorted((a, b) => a.at - b.at);
  let most = 0;
  let within = 0;
  let oldest = 0;
  for (const { at, images } of made) {
    within += images;
    for (let first = made[oldest]; first !== undefined && at - first.at >= windowMs; first = made[oldest]) {
      within -= first.images;
      oldest += 1;
    }
    most = Math.max(most, within);
  }
  return most;
}
