import type { Logger } from 'pino';
import { type AnsweredBookOptions, createAnsweredBook } from './answered-before.ts';
import { createMoney, type MoneyOptions } from './money.ts';

export interface MoneyParts extends Pick<MoneyOptions, 'keys' | 'io'> {
  readonly store: MoneyOptions['store'] & AnsweredBookOptions['store'];
  readonly log: Logger;
}

/** Budgets, and the book of what the cache saved; `opened` gets what ends it. */
export function openMoney({ log, ...parts }: MoneyParts, opened: (() => Promise<unknown>)[]) {
  const onError = (err: unknown) => log.error({ err }, 'a budget could not be looked up, so nothing was spent of it');
  const onLost = (err: unknown, lines: number) => log.error({ err, lines }, 'what the cache saved could not be booked');
  const answeredBook = createAnsweredBook({ ...parts, onError: onLost });
  opened.push(() => answeredBook.close());
  return { money: createMoney({ ...parts, onError }), answeredBook };
}
