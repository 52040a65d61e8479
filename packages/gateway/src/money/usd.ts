const DIGITS = 6;

/** `$0.05`, `$0.000012`: exact, with at least two decimals. */
export function usdText(microUsd: number): string {
  return `$${(microUsd / 1e6).toFixed(DIGITS).replace(/0{1,4}$/, '')}`;
}

/** Whole millionths as the wire has them: dollars. */
export function usdOf(microUsd: number): number {
  return microUsd / 1e6;
}

/** The nearest whole millionth. */
export function microUsdOf(usd: number): number {
  return Math.round(usd * 1e6);
}
