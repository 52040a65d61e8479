const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** Reads `50GB`, `1.5 TB` or a plain number of bytes; units are decimal. Undefined for anything else. */
export function parseBytes(value: unknown): number | undefined {
  if (typeof value === 'number') return wholeBytes(value);
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([KMGT]?B)$/i.exec(typeof value === 'string' ? value : '') ?? [];
  const bytes = UNIT_BYTES[unit?.toUpperCase() ?? ''];
  return bytes === undefined ? undefined : wholeBytes(Math.round(Number(amount) * bytes));
}

function wholeBytes(value: number): number | undefined {
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
