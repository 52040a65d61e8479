import type { Adaptation, Capabilities } from '../capabilities.ts';
import type { ImageType } from '../images/asset.ts';
import type { JsonObject } from '../json.ts';
import type { ImageRequest, Operation } from '../request.ts';
import { adaptExtra } from './adapt-extra.ts';
import { withoutIdleAuto } from './idle-auto.ts';
import { nearestOf } from './pixels.ts';
import { adaptShape } from './size.ts';

/** What a request is held against. */
export interface ModelFacts {
  readonly operations: readonly Operation[];
  readonly streams: boolean;
  /** Absent: nobody knows what it takes, so everything goes to it as it is. */
  readonly capabilities?: Capabilities;
}

export interface AdaptOptions {
  /** Providers can fetch our stored pictures. */
  readonly links: boolean;
  /** Of a route: fields that Onetake does not know are for this target alone. */
  readonly isFirst: boolean;
  /** Refuses any change. */
  readonly strict: boolean;
  /** Nothing is billed there. */
  readonly isFree?: boolean;
}

export type Adapted =
  /** The same object where nothing is changed. */
  | { readonly ok: true; readonly request: ImageRequest; readonly adaptations: readonly Adaptation[] }
  /** `field` is the one at fault, as the wire spells it. */
  | {
      readonly ok: false;
      readonly field: string;
      readonly reason: string;
      readonly adaptations: readonly Adaptation[];
    };

/**
 * Says a request in one model's terms. Only fields that the caller set are reported: kept, mapped to the nearest the
 * model takes, dropped where the picture is still what was asked for, impossible where it would not be.
 */
export function adapt(asked: ImageRequest, model: ModelFacts, options: AdaptOptions): Adapted {
  const { capabilities } = model;
  const request = capabilities ? withoutIdleAuto(asked, capabilities) : asked;
  const extra = adaptExtra(request, { ...options, isKnown: capabilities !== undefined });
  const fields = capabilities ? adaptFields(request, capabilities, model.streams) : [];
  const shape = capabilities ? adaptShape(shapeOf(request), capabilities.size) : undefined;
  const pictures = capabilities ? judgePictures(request, capabilities, options.links) : [];
  const adaptations = [
    ...judgeOperation(request, model),
    ...(capabilities ? judgePrompt(request, capabilities) : []),
    ...(capabilities && request.n > 1 ? [{ field: 'n', action: 'kept', from: String(request.n) } as const] : []),
    ...(shape?.adaptations ?? []),
    ...fields.map(({ adaptation }) => adaptation),
    ...pictures,
    ...extra.adaptations,
  ];
  const impossible = adaptations.filter(({ action }) => action === 'impossible');
  const [worst] = impossible;
  if (worst) return { ok: false, field: worst.field, reason: impossible.map(told).join('; '), adaptations };
  const changed = adaptations.filter(({ action }) => action !== 'kept');
  const [first] = changed;
  if (options.strict && first) {
    return {
      ok: false,
      field: first.field,
      reason: `strict allows no change: ${changed.map(told).join('; ')}`,
      adaptations,
    };
  }
  if (changed.length === 0) return { ok: true, request, adaptations };
  const adapted = fields.reduce((sum, { key, adaptation, to }) => changeField(sum, key, adaptation, to), request);
  const shaped = shape ? withShape(adapted, shape.shape) : adapted;
  return { ok: true, request: extra.isWhole ? shaped : withExtra(shaped, extra.passed), adaptations };
}

function told({ field, action, from, to, reason }: Adaptation): string {
  const value = from === undefined ? '' : ` ${from}`;
  const change =
    action === 'mapped' ? ` would become ${to ?? 'another'}` : action === 'dropped' ? ' would be dropped' : '';
  return `${field}:${value}${change}${reason === undefined ? '' : `${change === '' ? '' : ','} ${reason}`}`;
}

function judgeOperation({ operation }: ImageRequest, { operations }: ModelFacts): readonly Adaptation[] {
  if (operations.includes(operation)) return [];
  const reason = `this model cannot ${operation} pictures; choose another model`;
  return [{ field: 'model', action: 'impossible', reason }];
}

function judgePrompt({ prompt }: ImageRequest, { maxPromptChars }: Capabilities): readonly Adaptation[] {
  if (maxPromptChars === undefined || prompt.length <= maxPromptChars) return [];
  const chars = [...prompt].length;
  if (chars <= maxPromptChars) return [];
  const reason = `it has ${chars} characters and this model takes ${maxPromptChars}; shorten it`;
  return [{ field: 'prompt', action: 'impossible', reason }];
}

function shapeOf({ size, aspectRatio, resolution }: ImageRequest) {
  return { size, aspectRatio, resolution };
}

function withShape(request: ImageRequest, shape: ReturnType<typeof shapeOf> | object): ImageRequest {
  const { size: _size, aspectRatio: _ratio, resolution: _resolution, ...rest } = request;
  const entries = Object.entries(shape).filter(([, value]) => value !== undefined);
  return { ...rest, ...Object.fromEntries(entries) };
}

/** Fields of a single value. */
type Field =
  | 'quality'
  | 'outputFormat'
  | 'outputCompression'
  | 'background'
  | 'moderation'
  | 'seed'
  | 'negativePrompt'
  | 'partialImages';

interface Change {
  readonly key: Field;
  readonly adaptation: Adaptation;
  readonly to?: string | number;
}

type Verdict =
  | { readonly action: 'kept' }
  | { readonly action: 'mapped'; readonly to: string | number; readonly reason: string }
  | { readonly action: 'dropped' | 'impossible'; readonly reason: string };

const KEPT: Verdict = { action: 'kept' };
const dropped = (reason: string): Verdict => ({ action: 'dropped', reason });

function adaptFields(request: ImageRequest, capabilities: Capabilities, streams: boolean): readonly Change[] {
  const { quality, outputFormat, outputCompression, background, moderation, seed, negativePrompt } = request;
  const partialImages = request.stream && !streams ? request.partialImages : undefined;
  return [
    ...changeOf('quality', 'quality', quality, (value) => judgeQuality(value, capabilities)),
    ...changeOf('background', 'background', background, (value) => judgeBackground(value, capabilities)),
    ...changeOf('outputFormat', 'output_format', outputFormat, (value) =>
      judgeFormat(value, background === 'transparent', capabilities),
    ),
    ...changeOf('outputCompression', 'output_compression', outputCompression, () =>
      capabilities.compression ? KEPT : dropped('this model has no such setting'),
    ),
    ...changeOf('moderation', 'moderation', moderation, (value) =>
      capabilities.moderation?.includes(value) ? KEPT : dropped('this model has no such setting'),
    ),
    ...changeOf('seed', 'seed', seed, (value) => judgeSeed(value, capabilities)),
    ...changeOf('negativePrompt', 'negative_prompt', negativePrompt, () =>
      capabilities.negativePrompt ? KEPT : dropped('this model has none; say in the prompt what to leave out'),
    ),
    ...changeOf('partialImages', 'partial_images', partialImages, () => dropped('this model sends no previews')),
  ];
}

function changeOf<Value extends string | number>(
  key: Field,
  field: string,
  value: Value | undefined,
  judge: (value: Value) => Verdict,
): readonly Change[] {
  if (value === undefined) return [];
  const verdict = judge(value);
  const from = String(value).slice(0, MAX_SHOWN_CHARS);
  if (verdict.action === 'kept') return [{ key, adaptation: { field, action: 'kept', from } }];
  if (verdict.action !== 'mapped') return [{ key, adaptation: { field, from, ...verdict } }];
  return [{ key, adaptation: { field, from, ...verdict, to: String(verdict.to) }, to: verdict.to }];
}

const MAX_SHOWN_CHARS = 100;

function changeField(request: ImageRequest, key: Field, { action }: Adaptation, to: Change['to']): ImageRequest {
  if (action === 'mapped') return { ...request, [key]: to };
  return action === 'dropped' ? without(request, key) : request;
}

function withExtra(request: ImageRequest, extra: JsonObject): ImageRequest {
  const { extra: _extra, ...rest } = request;
  return Object.keys(extra).length === 0 ? rest : { ...rest, extra };
}

function without(request: ImageRequest, key: Field): ImageRequest {
  const { [key]: _gone, ...rest } = request;
  return rest;
}

/** How much work the words mean, where providers use several; `hd` and `standard` are those of DALL·E. */
const QUALITIES: ReadonlyMap<string, number> = new Map([
  ...['low', 'draft', 'turbo', 'fast'].map((word) => [word, 1] as const),
  ...['medium', 'standard', 'default', 'balanced'].map((word) => [word, 2] as const),
  ...['high', 'hd', 'quality', 'premium'].map((word) => [word, 3] as const),
  ...['xhigh', 'ultra'].map((word) => [word, 4] as const),
  ['max', 5],
]);

function judgeQuality(asked: string, { quality = [] }: Capabilities): Verdict {
  if (quality.includes(asked)) return KEPT;
  if (quality.length === 0) return dropped('this model has no such setting');
  const rank = QUALITIES.get(asked);
  if (rank === undefined) return dropped(`this model takes ${quality.join(', ')}`);
  const ranked = quality.flatMap((word) => {
    const at = QUALITIES.get(word);
    return at === undefined ? [] : [{ word, at }];
  });
  // Of two that are equally near the lower: nobody pays for more than was asked.
  const to = nearestOf(
    ranked.toSorted((a, b) => a.at - b.at),
    ({ at }) => Math.abs(at - rank),
  )?.word;
  if (to === undefined) return dropped(`this model takes ${quality.join(', ')}`);
  return { action: 'mapped', to, reason: `this model takes ${quality.join(', ')}` };
}

function judgeBackground(asked: string, { background = [] }: Capabilities): Verdict {
  if (background.includes(asked)) return KEPT;
  if (asked !== 'transparent')
    return dropped(
      background.length === 0 ? 'every picture of this model is opaque' : `this model takes ${background.join(', ')}`,
    );
  const reason = 'this model makes no transparent pictures; leave it out, or choose another model';
  return { action: 'impossible', reason };
}

/** What stands in for a format, the one that loses least first. */
const STAND_INS: Readonly<Record<ImageType, readonly ImageType[]>> = {
  png: ['webp', 'avif', 'jpeg'],
  webp: ['png', 'avif', 'jpeg'],
  avif: ['webp', 'png', 'jpeg'],
  jpeg: ['webp', 'png', 'avif'],
  gif: ['webp', 'png', 'jpeg'],
  svg: [],
};

function judgeFormat(asked: string, isTransparent: boolean, { formats }: Capabilities): Verdict {
  if (formats === undefined) return dropped('this model chooses the format by itself');
  if (formats.some((format) => format === asked)) return KEPT;
  const standIns = Object.hasOwn(STAND_INS, asked) ? STAND_INS[asked as ImageType] : [];
  const usable = standIns.filter((format) => formats.includes(format) && !(isTransparent && format === 'jpeg'));
  const [to] = usable;
  if (to !== undefined) return { action: 'mapped', to, reason: `this model makes ${formats.join(', ')}` };
  const why = isTransparent ? ', and what would be nearest cannot be transparent' : '';
  return { action: 'impossible', reason: `this model makes ${formats.join(', ')}${why}; ask for one of those` };
}

function judgeSeed(asked: number, { maxSeed }: Capabilities): Verdict {
  if (maxSeed === undefined) return dropped('this model takes no seed');
  if (asked >= 0 && asked <= maxSeed) return KEPT;
  const seeds = maxSeed + 1;
  return {
    action: 'mapped',
    to: ((asked % seeds) + seeds) % seeds,
    reason: `seeds of this model go from 0 to ${maxSeed}`,
  };
}

const NEEDS_LINKS =
  'this provider fetches pictures by a link and cannot reach this gateway; set ONETAKE_PUBLIC_URL, or choose another model';

function judgePictures({ images = [], mask }: ImageRequest, capabilities: Capabilities, links: boolean) {
  const { references } = capabilities;
  const verdicts: Adaptation[] = [];
  const isUnreachable = references?.as === 'link' && !links;
  if (images.length > 0) {
    const from = `${images.length} ${images.length === 1 ? 'picture' : 'pictures'}`;
    const max = references?.max ?? images.length;
    const few = max === 1 ? 'one' : String(max);
    const tooMany = images.length > max ? `an edit of this model works from ${few} at most; send fewer` : undefined;
    const reason = tooMany ?? (isUnreachable ? NEEDS_LINKS : undefined);
    const verdict = reason === undefined ? ({ action: 'kept' } as const) : ({ action: 'impossible', reason } as const);
    verdicts.push({ field: 'image', from, ...verdict });
  }
  if (mask) verdicts.push(judgeMask(capabilities));
  return verdicts;
}

/** The mask itself is converted when it is sent. */
function judgeMask({ mask }: Capabilities): Adaptation {
  if (mask === 'alpha') return { field: 'mask', action: 'kept' };
  if (mask !== undefined)
    return { field: 'mask', action: 'mapped', from: 'alpha', to: mask, reason: `${mask} marks the area to edit there` };
  const reason = 'this model takes no mask; describe the area in the prompt, or choose another model';
  return { field: 'mask', action: 'impossible', reason };
}
