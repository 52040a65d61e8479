import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number of this range. */
export function whole(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= from && value <= to) return value;
    throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}`);
  };
}

const MAX_USD = 1_000_000;

/** Reads an amount of US dollars, such as `10` or `0.50`. */
export function usd(text: string): number {
  const value = /^\$?\d{1,7}(\.\d{1,6})?$/.test(text) ? Number(text.replace('$', '')) : Number.NaN;
  if (value >= 0 && value <= MAX_USD) return value;
  throw new InvalidArgumentError(`expected an amount in US dollars from 0 to ${MAX_USD}, such as 10 or 0.50`);
}

/** Reads `a,b,c`. */
export function list(text: string): readonly string[] {
  const values = text.split(',').map((value) => value.trim());
  if (values.every((value) => /^\w{1,64}$/.test(value))) return values;
  throw new InvalidArgumentError(
    'expected names with commas between them, such as rate_limit_exceeded,no_image_returned',
  );
}
