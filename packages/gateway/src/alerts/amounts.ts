import type { Unit } from './rules.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** `12 %`, `0.4 %`: with a decimal below 10. */
export function shareText(share: number): string {
  const percent = share * 100;
  return `${percent >= 10 || Number.isInteger(percent) ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** `850 ms`, `90 s`, `5 min`, `3 h`, `2 days`: the largest unit of which there are two, or one exactly. */
export function durationText(ms: number): string {
  const units = [
    [DAY_MS, 'day'],
    [HOUR_MS, 'h'],
    [MINUTE_MS, 'min'],
    [SECOND_MS, 's'],
  ] as const;
  const [length, name] = units.find(([one]) => ms === one || ms >= 2 * one) ?? [1, 'ms'];
  const count = Math.round(ms / length);
  return `${count} ${name === 'day' && count !== 1 ? 'days' : name}`;
}

/** A value of a rule, or its threshold. */
export function amountText(value: number, unit: Unit): string {
  if (unit === 'share') return shareText(value);
  if (unit === 'ms') return durationText(value);
  return unit === 'days' ? `${value} ${value === 1 ? 'day' : 'days'}` : String(value);
}
