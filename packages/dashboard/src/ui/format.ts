/** How the page writes numbers; one way for all pages. */

const SMALL_USD = 0.01;

/** `$0.0400`, `$12.30`; what nobody knows is `unknown`, never `$0`. */
export function usd(amount: number | null | undefined): string {
  if (amount === null || amount === undefined) return 'unknown';
  if (amount === 0) return '$0';
  return Math.abs(amount) < SMALL_USD || !Number.isInteger(Math.round(amount * 10_000) / 100)
    ? `$${amount.toFixed(4)}`
    : `$${amount.toFixed(2)}`;
}

/** `640 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  const first = units.findIndex(([size]) => ms >= size);
  const parts = units.slice(first, first + 2).map(([size, name], index) => {
    const above = units[first + index - 1];
    const whole = Math.floor((index === 0 || above === undefined ? ms : ms % above[0]) / size);
    return { whole, name };
  });
  return parts
    .filter(({ whole }) => whole > 0)
    .map(({ whole, name }) => `${whole} ${name}`)
    .join(' ');
}

export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = count === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1_000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return '–';
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `14:03:09`, with the day where it is not today. */
export function clock(at: number, now = Date.now()): string {
  const [date, today] = [new Date(at), new Date(now)];
  const time = date.toLocaleTimeString('en-GB');
  return date.toDateString() === today.toDateString() ? time : `${date.toLocaleDateString('en-CA')} ${time}`;
}

/** `12 s ago`, `in 3 min`. */
export function ago(at: number, now = Date.now()): string {
  const distance = Math.abs(now - at);
  if (distance < 1_000) return 'now';
  const text = duration(distance).split(' ').slice(0, 2).join(' ');
  return at <= now ? `${text} ago` : `in ${text}`;
}
