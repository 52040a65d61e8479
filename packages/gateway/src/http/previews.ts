import { type Asset, IMAGE_TYPES } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { NotConverted, TargetFormat } from '../pictures/convert.ts';
import { PREVIEW_FORMATS, PREVIEW_WIDTHS, type Preview } from '../pictures/preview.ts';
import type { PreviewLinks } from '../pictures/preview-links.ts';
import type { Previews } from '../pictures/previews.ts';
import type { IdentifyCaller } from './callers.ts';
import { invalidValue, RequestProblem } from './problem.ts';

/** What serving pictures smaller or in another format takes. */
export interface PreviewDeps {
  readonly previews: Previews;
  readonly links: PreviewLinks;
  readonly identify: IdentifyCaller;
}

/** The signed link to a picture's thumbnail; undefined for one that is never rendered. */
export type ThumbnailUrl = (asset: Pick<Asset, 'hash' | 'type'>) => string | undefined;

/** Wide enough for a list or a grid, also on a screen of double density. */
const THUMBNAIL: Preview = { width: 256 };

/** `assetsUrl` is what links begin with. */
export function createThumbnailUrl(links: PreviewLinks, assetsUrl: () => string): ThumbnailUrl {
  return ({ hash, type }) =>
    type === 'svg' ? undefined : `${assetsUrl()}/${links.sign(`${hash}.${IMAGE_TYPES[type].extension}`, THUMBNAIL)}`;
}

/** The field of a view that shows a picture; none where there is no link. */
export function thumbnailField(asset: Pick<Asset, 'hash' | 'type'>, thumbnailUrl: ThumbnailUrl | undefined) {
  const thumbnail = thumbnailUrl?.(asset);
  return thumbnail === undefined ? {} : { thumbnail };
}

const MAX_QUALITY = 100;
const SHOWN_CHARS = 50;

/** Reads `w`, `format` and `q` of a query; undefined where it asks for the picture as it is. */
export function readPreview(query: unknown): Preview | undefined {
  const { w, format, q } = query as Readonly<Record<string, unknown>>;
  if (w === undefined && format === undefined) {
    if (q === undefined) return undefined;
    throw invalidValue('q', 'it says nothing without w or format, such as ?w=256&q=80');
  }
  const width = choose('w', w, PREVIEW_WIDTHS.map(String));
  const chosen = choose('format', format, PREVIEW_FORMATS);
  const quality = readQuality(q);
  return {
    ...(width !== undefined && { width: Number(width) }),
    ...(chosen !== undefined && { format: chosen }),
    ...(quality !== undefined && { quality }),
  };
}

function choose<Value extends string>(param: string, value: unknown, values: readonly Value[]): Value | undefined {
  if (value === undefined) return undefined;
  const found = values.find((one) => one === value);
  if (found === undefined) throw invalidValue(param, `${shown(value)} is not one of ${values.join(', ')}`);
  return found;
}

function readQuality(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const quality = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (quality >= 1 && quality <= MAX_QUALITY) return quality;
  throw invalidValue('q', `${shown(value)} is not a whole number from 1 to ${MAX_QUALITY}`);
}

function shown(value: unknown): string {
  return `"${String(value).slice(0, SHOWN_CHARS)}"`;
}

/**
 * Lets pass who has a signed link, or a key; throws a 403 for others. Returns the signed link where it was asked for with a
 * key, for those who have none.
 */
export function admit(request: FastifyRequest, name: string, preview: Preview, deps: PreviewDeps): string | undefined {
  const { sig } = request.query as Readonly<Record<string, unknown>>;
  if (typeof sig === 'string' && deps.links.isSigned(name, preview, sig)) return undefined;
  if (sig === undefined && hasKey(request, deps)) return `/v1/assets/${deps.links.sign(name, preview)}`;
  const what = sig === undefined ? 'there is no signature' : 'the signature is not the one of these parameters';
  const ways =
    'take the link from "thumbnail" of a task or generation, or ask with your API key, whose answer has the signed link in Content-Location; the picture as it is needs neither';
  throw new RequestProblem(403, 'invalid_signature', `sig: ${what}; ${ways}`, { param: 'sig' });
}

/** Where no keys are configured everybody on this machine has one, but not the pages that browsers here show. */
function hasKey({ raw, fromBrowser }: FastifyRequest, { identify }: PreviewDeps): boolean {
  if (fromBrowser) return false;
  try {
    identify(raw);
    return true;
  } catch {
    return false;
  }
}

const COME_BACK_SECONDS = 2;

/** Nothing is lost: the picture itself is whole and can be had. */
export function previewProblem({ problem, detail }: NotConverted): RequestProblem {
  const way = 'leave w, format and q out for the picture as it is';
  const message = (what: string) => `picture: ${what}: ${detail}; ${way}`;
  switch (problem) {
    case 'busy':
    case 'timeout': {
      const headers = { 'retry-after': String(COME_BACK_SECONDS), 'x-should-retry': 'true' };
      return new RequestProblem(503, 'preview_unavailable', message('no preview was made in time'), { headers });
    }
    case 'missing':
      return new RequestProblem(404, 'not_found', message('its bytes are not stored here any more'));
    case 'too_large':
      return new RequestProblem(415, 'picture_too_large', message('it is too large to be shown otherwise'));
    case 'animated':
      return new RequestProblem(
        415,
        'unsupported_format',
        `${message('it is an animation')}, or give w for its first picture`,
      );
    case 'not_looked_at':
      return new RequestProblem(415, 'unsupported_format', message('it cannot be shown otherwise'));
    case 'marked':
    case 'undecodable':
    case 'unusable':
      return new RequestProblem(415, 'undecodable_picture', message('it cannot be shown otherwise'));
  }
}

/** Whether the picture already is what is asked for. */
export function isAsItIs({ type }: Pick<Asset, 'type'>, { width, format }: Preview): boolean {
  return width === undefined && format === (type as TargetFormat);
}
