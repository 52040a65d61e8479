import type { JsonObject } from '@onetake/core';
import type { LineProblem } from './line.ts';
import { type KnownLimits, type ModelFacts, type Models, picturePrice, type Rate } from './model-facts.ts';
import { dollars, micros } from './money.ts';
import { picturesOf } from './request.ts';

/** What a batch would come to; what nobody knows is null, never 0. */
export interface Estimate {
  readonly lines: number;
  readonly pictures: number;
  readonly price_usd: { readonly low: number; readonly high: number } | null;
  /** At the limits known now; a lower bound where one model's are known and another's not. */
  readonly time_ms: number | null;
  readonly models: readonly ModelEstimate[];
}

export interface ModelEstimate {
  readonly model: string;
  readonly lines: number;
  readonly pictures: number;
  /** Of one picture, or of a megapixel of it. */
  readonly price: ModelFacts['price'];
  readonly limits: KnownLimits;
  readonly time_ms: number | null;
}

/** The sum over the lines that can work. Models are paced apart, so the slowest decides how long it takes. */
export function estimate(bodies: readonly JsonObject[], models: Models): Estimate {
  const perModel = new Map<string, { lines: number; pictures: number }>();
  for (const body of bodies) {
    const one = perModel.get(String(body.model)) ?? { lines: 0, pictures: 0 };
    perModel.set(String(body.model), { lines: one.lines + 1, pictures: one.pictures + picturesOf(body) });
  }
  const rows = [...perModel].map(([model, work]) => modelEstimate(model, work, models.get(model)));
  const times = rows.map((row) => row.time_ms).filter((time) => time !== null);
  return {
    lines: bodies.length,
    pictures: rows.reduce((sum, row) => sum + row.pictures, 0),
    price_usd: priceRange(bodies, models),
    time_ms: times.length > 0 ? Math.max(...times) : null,
    models: rows,
  };
}

function modelEstimate(
  model: string,
  work: { lines: number; pictures: number },
  facts: ModelFacts | LineProblem | undefined,
): ModelEstimate {
  const { price, limits }: ModelFacts =
    facts && 'price' in facts ? facts : { price: { kind: 'unknown' }, limits: { images: [], requests: [] } };
  return { model, ...work, price, limits, time_ms: timeMs(work, limits) ?? null };
}

function priceRange(bodies: readonly JsonObject[], models: Models): Estimate['price_usd'] {
  let [low, high] = [0, 0];
  for (const body of bodies) {
    const facts = models.get(String(body.model));
    const price = facts && 'price' in facts ? picturePrice(facts.price, body) : undefined;
    if (price === undefined) return null;
    low += micros(price.lowUsd) * picturesOf(body);
    high += micros(price.highUsd) * picturesOf(body);
  }
  return bodies.length === 0 ? null : { low: dollars(low), high: dollars(high) };
}

/** How long the tightest limit stretches the work; undefined where no rate is known. */
function timeMs(work: { lines: number; pictures: number }, limits: KnownLimits): number | undefined {
  const stretch = (amount: number) => (rate: Rate) => Math.ceil((amount * rate.windowMs) / rate.count);
  const all = [...limits.images.map(stretch(work.pictures)), ...limits.requests.map(stretch(work.lines))];
  return all.length === 0 ? undefined : Math.max(...all);
}
