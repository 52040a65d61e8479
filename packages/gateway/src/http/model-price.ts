import type { PlannedTarget, Price } from '@onetake/core';

/** What a model costs, in US dollars, as `GET /v1/models` shows it. */
export type ModelPrice = PriceView & {
  /** ISO date of the price data, or `config` where the user said it. */
  readonly as_of?: string;
};

type PriceView =
  | {
      readonly per_image_usd: number;
      /** Where a target of the route, or another size or quality, is cheaper. */
      readonly lowest_usd?: number;
      /** Where it goes by what is asked for: the first row that matches; `auto` is what was not asked for too. */
      readonly rates?: readonly PictureRow[];
    }
  /** A begun megapixel (1,048,576 pixels) counts whole. */
  | {
      readonly per_megapixel_usd: number;
      readonly lowest_usd?: number;
      /** The size of a picture where none was asked for. */
      readonly auto_size?: string;
    }
  | {
      readonly per_million_tokens_usd: {
        readonly text_input: number;
        readonly cached_input?: number;
        readonly image_input: number;
        readonly output: number;
      };
      /** The tokens of one picture, or the most of one, where they are known ahead; and of one that goes in. */
      readonly output_tokens?: readonly TokensRow[];
      readonly reference_tokens?: number;
    }
  /** Of chat, whatever goes in. */
  | {
      readonly per_million_tokens_usd: {
        readonly input: number;
        /** Of input that the provider had in its cache. */
        readonly cached_input?: number;
        readonly output: number;
      };
    };

interface RowFor {
  readonly size?: string;
  readonly quality?: string;
  readonly resolution?: string;
}
type PictureRow = RowFor & { readonly usd: number };
type TokensRow = RowFor & { readonly tokens: number };

/** One price for all targets, or none: what is billed by tokens at one and by the picture at another is neither. */
export function priceView(targets: readonly PlannedTarget[], isChat: boolean): ModelPrice | null {
  const prices = targets.flatMap(({ price }) => price ?? []);
  const [first] = prices;
  if (first === undefined || prices.length < targets.length) return null;
  const view = pictureView(prices) ?? megapixelView(prices) ?? tokenView(prices, isChat);
  if (view === undefined) return null;
  const { asOf } = first;
  const isSame = asOf !== undefined && prices.every((price) => price.asOf === asOf);
  return { ...view, ...(isSame && { as_of: asOf }) };
}

type Of<Key extends string> = Extract<Price, { readonly [Name in Key]: unknown }>;

/** The prices, if all are of this form. */
function allOf<Key extends 'perImageUsd' | 'perMegapixelUsd' | 'perMillionTokensUsd'>(
  prices: readonly Price[],
  key: Key,
): readonly Of<Key>[] | undefined {
  const of = prices.filter((price): price is Of<Key> => key in price);
  return of.length === prices.length ? of : undefined;
}

function pictureView(prices: readonly Price[]): PriceView | undefined {
  const all = allOf(prices, 'perImageUsd')?.map(({ perImageUsd }) => perImageUsd);
  if (all === undefined) return undefined;
  const amounts = all.flatMap((one) => (typeof one === 'number' ? one : one.map(({ usd }) => usd)));
  const [only] = all;
  const rates = typeof only === 'object' && isSame(all) ? { rates: only } : {};
  const [highest, lowest] = [Math.max(...amounts), Math.min(...amounts)];
  return { per_image_usd: highest, ...(lowest < highest && { lowest_usd: lowest }), ...rates };
}

function megapixelView(prices: readonly Price[]): PriceView | undefined {
  const all = allOf(prices, 'perMegapixelUsd');
  if (all === undefined) return undefined;
  const amounts = all.map(({ perMegapixelUsd }) => perMegapixelUsd);
  const [highest, lowest] = [Math.max(...amounts), Math.min(...amounts)];
  const sizes = all.map(({ autoSize }) => autoSize);
  const [size] = sizes;
  return {
    per_megapixel_usd: highest,
    ...(lowest < highest && { lowest_usd: lowest }),
    ...(size !== undefined && isSame(sizes) && { auto_size: size }),
  };
}

function tokenView(prices: readonly Price[], isChat: boolean): PriceView | undefined {
  const all = allOf(prices, 'perMillionTokensUsd');
  const [first] = all ?? [];
  if (all === undefined || first === undefined || !isSame(all.map((one) => one.perMillionTokensUsd))) return undefined;
  const { textInput, cachedInput, imageInput, output } = first.perMillionTokensUsd;
  const cached = cachedInput !== undefined && { cached_input: cachedInput };
  if (isChat && textInput === imageInput) return { per_million_tokens_usd: { input: textInput, ...cached, output } };
  const { outputTokens, referenceTokens } = first;
  return {
    per_million_tokens_usd: { text_input: textInput, ...cached, image_input: imageInput, output },
    ...(outputTokens && isSame(all.map((one) => one.outputTokens)) && { output_tokens: outputTokens }),
    ...(referenceTokens !== undefined &&
      isSame(all.map((one) => one.referenceTokens)) && { reference_tokens: referenceTokens }),
  };
}

function isSame(all: readonly unknown[]): boolean {
  const first = JSON.stringify(all[0]);
  return all.every((one) => JSON.stringify(one) === first);
}
