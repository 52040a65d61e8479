/** What a provider counts within a window. */
export type RateDimension = 'requests' | 'images' | 'tokens';

/** Uses between two instants (epoch ms), one unless uses were merged. A tuple, because cells of a cluster hold many. */
export type Use = readonly [from: number, to: number, requests: number, images: number, tokens: number];

/** Sorted by `to`. */
export type UseLog = readonly Use[];

export type Units = Readonly<Record<RateDimension, number>>;

/** Entries of a log at most; beyond it neighbours are merged, counted at the later instant, so never too few. */
export const MAX_USES = 256;
const REMEMBERED_MS = 25 * 3_600_000;
const PLACES = { requests: 2, images: 3, tokens: 4 } as const;

export function unitsOf(use: Use, dimension: RateDimension): number {
  return use[PLACES[dimension]];
}

/** What the last `windowMs` used; a use leaves its window exactly `windowMs` after it was made. */
export function usedWithin(log: UseLog, dimension: RateDimension, windowMs: number, now: number): number {
  let sum = 0;
  for (let index = log.length - 1; index >= 0; index -= 1) {
    const use = log[index];
    if (use === undefined || use[1] <= now - windowMs) break;
    sum += unitsOf(use, dimension);
  }
  return sum;
}

/** The first instant from `now` on at which `need` more fit; what is more than `count` waits for an empty window. */
export function fitsAt(
  log: UseLog,
  dimension: RateDimension,
  { count, windowMs }: { readonly count: number; readonly windowMs: number },
  need: number,
  now: number,
): number {
  let excess = usedWithin(log, dimension, windowMs, now) + Math.min(need, count) - count;
  if (excess <= 0) return now;
  for (const use of log) {
    if (use[1] <= now - windowMs) continue;
    excess -= unitsOf(use, dimension);
    if (excess <= 0) return use[1] + windowMs;
  }
  return now;
}

/** Adds uses at `at`. Uses younger than `exactMs` are the last to be merged. */
export function recorded(log: UseLog, at: number, units: Units, exactMs: number): UseLog {
  const last = log.at(-1);
  if (last !== undefined && last[0] === at && last[1] === at) return [...log.slice(0, -1), sum(last, units)];
  const use: Use = [at, at, units.requests, units.images, units.tokens];
  const kept = log[0] !== undefined && log[0][1] <= at - REMEMBERED_MS ? log.slice(1) : log;
  if (last === undefined || last[1] <= at) return bounded([...kept, use], at, exactMs);
  const place = kept.findIndex((one) => one[1] > at);
  return bounded([...kept.slice(0, place), use, ...kept.slice(place)], last[1], exactMs);
}

function sum(use: Use, { requests, images, tokens }: Units): Use {
  return [use[0], use[1], use[2] + requests, use[3] + images, use[4] + tokens];
}

/** Takes uses made at `at` out again, or adds to them where `units` are negative. */
export function takenBack(log: UseLog, at: number, units: Units): UseLog {
  const place = log.findIndex((use) => use[0] <= at && at <= use[1] && use[2] >= units.requests);
  return place < 0 ? log : log.flatMap((use, index) => (index === place ? remaining(use, units) : [use]));
}

function remaining(use: Use, units: Units): readonly Use[] {
  const left: Use = [
    use[0],
    use[1],
    use[2] - units.requests,
    Math.max(0, use[3] - units.images),
    Math.max(0, use[4] - units.tokens),
  ];
  return left[2] <= 0 && left[3] <= 0 && left[4] <= 0 ? [] : [left];
}

/** Two logs of the same thing, made by two processes. */
export function mergedLogs(one: UseLog, other: UseLog, now: number): UseLog {
  let log: UseLog = [...one, ...other].sort((a, b) => a[1] - b[1]);
  while (log.length > MAX_USES) log = bounded(log, now, 0);
  return log;
}

/** Merges the two neighbours closest to each other in proportion to their age. */
function bounded(log: UseLog, now: number, exactMs: number): UseLog {
  if (log.length <= MAX_USES) return log;
  let best = 1;
  let closest = Number.POSITIVE_INFINITY;
  for (let index = 1; index < log.length; index += 1) {
    const [before, after] = [log[index - 1], log[index]];
    if (before === undefined || after === undefined) continue;
    const age = now - after[1];
    const distance = ((after[1] - before[0]) / (age + 1_000)) * (age < exactMs ? 1_000 : 1);
    if (distance < closest) [best, closest] = [index, distance];
  }
  const [before, after] = [log[best - 1], log[best]];
  if (before === undefined || after === undefined) return log;
  const merged: Use = [
    Math.min(before[0], after[0]),
    after[1],
    before[2] + after[2],
    before[3] + after[3],
    before[4] + after[4],
  ];
  return [...log.slice(0, best - 1), merged, ...log.slice(best + 1)];
}
