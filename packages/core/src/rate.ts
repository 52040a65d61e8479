/** At most `count` in any `windowMs`. */
export interface Rate {
  readonly count: number;
  readonly windowMs: number;
}

/** What a provider allows one credential at one target; what is absent is not known. */
export interface Limits {
  readonly requests?: readonly Rate[];
  readonly images?: readonly Rate[];
  readonly tokens?: readonly Rate[];
  /** Requests in flight. */
  readonly concurrency?: number;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `5/60s`, at most five in any sixty seconds; undefined for anything else. */
export function parseRate(text: string): Rate | undefined {
  const [, count = '', amount = '1', unit = ''] = /^(\d{1,10})\/(\d{1,6}(?:\.\d+)?)?(ms|s|m|h|d)$/.exec(text) ?? [];
  const read = { count: Number(count), windowMs: Number(amount) * (UNIT_MS[unit] ?? 0) };
  return read.count >= 1 && read.windowMs >= 1 ? read : undefined;
}
