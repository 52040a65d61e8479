import { isObject, type JsonObject, numberAt } from './json.ts';
import type { ImageRequest } from './request.ts';

/** What a model costs, in US dollars: by the picture, by its size, or by the tokens its answers report. */
export type Price = (
  | {
      /** One for every picture, or by what is asked for: the first row that matches counts. */
      readonly perImageUsd: number | readonly PictureRate[];
    }
  | {
      /** A begun megapixel (1,048,576 pixels) counts whole. */
      readonly perMegapixelUsd: number;
      /** The size of a picture where none was asked for, such as `1024x768`; absent: nobody knows. */
      readonly autoSize?: string;
    }
  | {
      readonly perMillionTokensUsd: TokenPrices;
      /** Of a model that makes pictures: the tokens of one, or the most of one, so that its price is known ahead. */
      readonly outputTokens?: readonly PictureTokens[];
      /** And of one that goes in, at most. */
      readonly referenceTokens?: number;
    }
) & {
  /** ISO date of the price data, or `config` where the user said it; absent where nobody did. */
  readonly asOf?: string;
};

export interface TokenPrices {
  readonly textInput: number;
  /** Of input that the provider had in its cache; absent: like other input. */
  readonly cachedInput?: number;
  readonly imageInput: number;
  readonly output: number;
}

/** What a row of a table is for; what it leaves out may be anything. `auto` is what was not asked for too. */
export interface PictureMatch {
  /** `1024x1024`. */
  readonly size?: string;
  readonly quality?: string;
  /** `2K`, of models that are told a ratio and a resolution. */
  readonly resolution?: string;
}

export type PictureRate = PictureMatch & { readonly usd: number };
export type PictureTokens = PictureMatch & { readonly tokens: number };

/** What a target is asked for, as far as prices go by it. */
export type PricedRequest = Pick<
  ImageRequest,
  'prompt' | 'size' | 'quality' | 'resolution' | 'images' | 'mask' | 'partialImages'
>;

/** The sides of a picture in pixels. */
export interface Sides {
  readonly width: number;
  readonly height: number;
}

const PIXELS_PER_MEGAPIXEL = 1_048_576;
const MICRO = 1_000_000;

/** Whole millionths of a dollar. */
export function microUsdOf(usd: number): number {
  return Math.round(usd * MICRO);
}

/**
 * What pictures cost by the table, in millionths of a dollar: each that was made with its sides where they are known,
 * else as asked for. Undefined where no row is for them, their size is not known, or tokens are what is billed.
 */
export function picturesMicroUsd(
  price: Price,
  request: PricedRequest,
  pictures: readonly (Sides | undefined)[],
): number | undefined {
  let sum = 0;
  for (const sides of pictures) {
    const usd = pictureUsd(price, request, sides);
    if (usd === undefined) return undefined;
    sum += usd;
  }
  return microUsdOf(sum);
}

function pictureUsd(price: Price, request: PricedRequest, made: Sides | undefined): number | undefined {
  if ('perImageUsd' in price) {
    const { perImageUsd } = price;
    return typeof perImageUsd === 'number' ? perImageUsd : rowFor(perImageUsd, request)?.usd;
  }
  if (!('perMegapixelUsd' in price)) return undefined;
  const { size = AUTO, images = [] } = request;
  // What is made of other pictures has their size.
  const sides = made ?? sidesOf(size === AUTO && images.length === 0 ? price.autoSize : size);
  return sides && Math.ceil((sides.width * sides.height) / PIXELS_PER_MEGAPIXEL) * price.perMegapixelUsd;
}

const AUTO = 'auto';

function rowFor<Row extends PictureMatch>(rows: readonly Row[], asked: PricedRequest): Row | undefined {
  const fits = (wanted: string | undefined, given = AUTO) => wanted === undefined || wanted === given;
  return rows.find(
    ({ size, quality, resolution }) =>
      fits(size, asked.size) && fits(quality, asked.quality) && fits(resolution, asked.resolution),
  );
}

function sidesOf(size: string | undefined): Sides | undefined {
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size ?? '') ?? [];
  return width === undefined ? undefined : { width: Number(width), height: Number(height) };
}

/**
 * What `usage` costs in millionths of a dollar, not rounded. OpenAI's shape: input tokens split by kind where the split
 * is given, else taken for text that was in no cache. Of embeddings, which put nothing out, only the total beside the
 * input is told.
 */
export function tokensMicroUsd(usage: JsonObject, prices: TokenPrices): number | undefined {
  const input = numberAt(usage, 'input_tokens');
  const total = numberAt(usage, 'total_tokens');
  if (input === undefined) return undefined;
  const output = numberAt(usage, 'output_tokens') ?? (total === undefined ? undefined : Math.max(0, total - input));
  if (output === undefined) return undefined;
  const details = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
  const pictures = numberAt(details, 'image_tokens') ?? 0;
  const cached = Math.min(numberAt(details, 'cached_tokens') ?? 0, Math.max(0, input - pictures));
  const { textInput, cachedInput = textInput, imageInput } = prices;
  const text = input - pictures - cached;
  // Dollars per million tokens are millionths of a dollar per token.
  return text * textInput + cached * cachedInput + pictures * imageInput + output * prices.output;
}

/** About four of English, and fewer of other scripts: an estimate ahead is rather too high. */
const BYTES_PER_TOKEN = 2;

/** What a preview puts out beside its picture (OpenAI's guide to image generation, on `partial_images`). */
const PREVIEW_TOKENS = 100;

/**
 * The most that so many pictures will cost, in millionths of a dollar, as far as a table tells it before they are made;
 * undefined where none does.
 */
export function picturesAheadMicroUsd(price: Price, request: PricedRequest, pictures: number): number | undefined {
  if (!('perMillionTokensUsd' in price)) return picturesMicroUsd(price, request, new Array(pictures).fill(undefined));
  const { perMillionTokensUsd: prices, outputTokens = [], referenceTokens } = price;
  const row = rowFor(outputTokens, request);
  const references = (request.images?.length ?? 0) + (request.mask ? 1 : 0);
  if (row === undefined || (references > 0 && referenceTokens === undefined)) return undefined;
  const previews = (request.partialImages ?? 0) * PREVIEW_TOKENS;
  const text = Math.ceil(Buffer.byteLength(request.prompt) / BYTES_PER_TOKEN);
  return Math.ceil(
    text * prices.textInput +
      references * (referenceTokens ?? 0) * prices.imageInput +
      pictures * (row.tokens + previews) * prices.output,
  );
}
