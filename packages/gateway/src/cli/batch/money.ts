import type { Charge } from './events.ts';

/** Sums in millionths of a dollar: whole numbers, so that a cap is met exactly. */
export interface Money {
  /** What was certainly paid, as far as its price is known. */
  readonly paidMicros: number;
  /** What may have been paid besides. */
  readonly possibleMicros: number;
  /** Both, and the reserve of whatever has no known price: what counts towards a cap. */
  readonly countedMicros: number;
  /** Charges of which neither price nor reserve is known. */
  readonly unpriced: number;
}

export const NOTHING: Money = { paidMicros: 0, possibleMicros: 0, countedMicros: 0, unpriced: 0 };

export function micros(usd: number): number {
  return Math.round(usd * 1e6);
}

export function dollars(amountMicros: number): number {
  return amountMicros / 1e6;
}

export function plus(one: Money, other: Money, sign: 1 | -1 = 1): Money {
  return {
    paidMicros: one.paidMicros + sign * other.paidMicros,
    possibleMicros: one.possibleMicros + sign * other.possibleMicros,
    countedMicros: one.countedMicros + sign * other.countedMicros,
    unpriced: one.unpriced + sign * other.unpriced,
  };
}

/** A charge of which a part is not known counts as the whole of what was reserved for it. */
export function chargeOf(
  { price_usd: price, possible_usd: possible }: Charge,
  reservedUsd: number | null | undefined,
): Money {
  const known = micros(price ?? 0) + micros(possible ?? 0);
  const isKnown = price !== null && possible !== null;
  return {
    paidMicros: micros(price ?? 0),
    possibleMicros: micros(possible ?? 0),
    countedMicros: isKnown ? known : Math.max(known, micros(reservedUsd ?? 0)),
    unpriced: isKnown || typeof reservedUsd === 'number' ? 0 : 1,
  };
}

export interface Room {
  /** Undefined is no cap. */
  readonly capMicros: number | undefined;
  /** What counts towards it already. */
  readonly countedMicros: number;
  readonly reservedMicros: number;
}

export interface Reserve {
  readonly micros: number | undefined;
  /** To ask of the gateway, so that the line cannot cost more than its reserve. */
  readonly maxPaidAttempts?: number;
}

/**
 * What to hold back for a line, or undefined when it does not fit under the cap. With a cap it is the price of as many
 * paid attempts as the line may have, and of fewer where only those fit, one at least: the cap cannot be passed, and
 * is not missed by the price of repeats that do not happen.
 */
export function reserveFor(priceMicros: number | undefined, paidAttempts: number, room: Room): Reserve | undefined {
  if (room.capMicros === undefined) return { micros: priceMicros };
  if (priceMicros === undefined) return undefined;
  const left = room.capMicros - room.countedMicros - room.reservedMicros;
  if (priceMicros > left) return undefined;
  const fitting = priceMicros === 0 ? paidAttempts : Math.floor(left / priceMicros);
  const maxPaidAttempts = Math.min(paidAttempts, fitting);
  return { micros: priceMicros * maxPaidAttempts, maxPaidAttempts };
}
