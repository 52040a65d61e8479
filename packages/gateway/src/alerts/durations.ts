const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `500ms`, `90s`, `5m`, `2h` or `1d` as milliseconds; undefined for anything else. */
export function parseDuration(text: unknown): number | undefined {
  const [, amount, unit = ''] = (typeof text === 'string' ? /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) : undefined) ?? [];
  const length = UNIT_MS[unit];
  return amount === undefined || length === undefined ? undefined : Number(amount) * length;
}
