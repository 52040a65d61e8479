import type { Adaptation, SizeRule } from '../capabilities.ts';
import {
  isAlike,
  nearestOf,
  nearestSize,
  off,
  type Pixels,
  parseRatio,
  parseResolution,
  parseSize,
  sizeWithin,
  spellSize,
} from './pixels.ts';

/** How a request says what shape and how large; a size says both, and wins over the others. */
export interface Shape {
  readonly size?: string | undefined;
  readonly aspectRatio?: string | undefined;
  readonly resolution?: string | undefined;
}

export interface AdaptedShape {
  /** As it was given where something about it is impossible. */
  readonly shape: Shape;
  /** One for each field that was given, or the impossible one alone. */
  readonly adaptations: readonly Adaptation[];
}

type Fit = (wanted: Pixels) => Pixels | undefined;
type RatioRule = Extract<SizeRule, { kind: 'ratio' }>;

/** The square of this side is as large as pictures usually are: about a million pixels. */
const USUAL_SIDE = 1024;

/** Says a shape in a model's terms: as it is where the model takes it, else the nearest. */
export function adaptShape(shape: Shape, rule: SizeRule): AdaptedShape {
  switch (rule.kind) {
    case 'any':
      return { shape, adaptations: given(shape).map(([field, from]) => kept(field, from)) };
    case 'fixed':
      return dropAll(shape, ONE_SIZE);
    case 'list': {
      const sizes = rule.sizes.map(parseSize).filter((size) => size !== undefined);
      return asSize(shape, rule.sizes.includes('auto'), (wanted) => nearestSize(sizes, wanted));
    }
    case 'pixels':
      return asSize(shape, rule.auto === true, (wanted) => sizeWithin(wanted, rule));
    case 'ratio':
      return asRatio(shape, rule);
  }
}

const ONE_SIZE = 'this model makes pictures of one size';
const NO_SIZE = 'it is not WIDTHxHEIGHT';
const SIZE_SAYS_IT = 'the size says it already';
const CHOSEN_BY_MODEL = 'this model has no "auto", and chooses where nothing is said';
const OTHER_SHAPE = 'every size of this model is of another shape, by more than a quarter; ask for another shape';
const UNKNOWN_NAME = 'this model is told a size, and nobody here knows the size of that';

function given({ size, aspectRatio, resolution }: Shape): readonly (readonly [field: string, value: string])[] {
  const fields = { size, aspect_ratio: aspectRatio, resolution };
  return Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [[field, value] as const]));
}

function dropAll(shape: Shape, reason: string): AdaptedShape {
  return { shape: {}, adaptations: given(shape).map(([field, from]) => dropped(field, from, reason)) };
}

function asSize(shape: Shape, takesAuto: boolean, fit: Fit): AdaptedShape {
  const { size, ...names } = shape;
  const others = given(names);
  if (size === undefined || size === 'auto') {
    const named = sizeOfNames(names, fit);
    if (size === undefined || named.adaptations.some(({ action }) => action === 'impossible')) return named;
    const isKept = takesAuto && named.shape.size === undefined;
    const auto = isKept ? kept('size', size) : dropped('size', size, takesAuto ? NAMED : CHOSEN_BY_MODEL);
    return { shape: { ...named.shape, ...(isKept && { size }) }, adaptations: [auto, ...named.adaptations] };
  }
  const rest = others.map(([field, from]) => dropped(field, from, SIZE_SAYS_IT));
  const wanted = parseSize(size);
  if (wanted === undefined) return { shape: {}, adaptations: [dropped('size', size, NO_SIZE), ...rest] };
  const found = fit(wanted);
  if (found === undefined) return { shape, adaptations: [impossible('size', size, OTHER_SHAPE)] };
  const to = spellSize(found);
  return { shape: { size: to }, adaptations: [to === size ? kept('size', size) : mapped('size', size, to), ...rest] };
}

const NAMED = 'what else was asked says more';

/** A ratio, a resolution or both as a size; what says neither is dropped. */
function sizeOfNames(names: Shape, fit: Fit): AdaptedShape {
  const { aspectRatio, resolution } = names;
  const ratio = aspectRatio === undefined ? undefined : parseRatio(aspectRatio);
  const side = resolution === undefined ? undefined : parseResolution(resolution);
  if (ratio === undefined && side === undefined) return dropAll(names, UNKNOWN_NAME);
  const area = (side ?? USUAL_SIDE) ** 2;
  const width = Math.max(1, Math.round(Math.sqrt(area * (ratio ?? 1))));
  const height = Math.max(1, Math.round(Math.sqrt(area / (ratio ?? 1))));
  const found = fit({ width, height });
  const known = { aspect_ratio: ratio, resolution: side };
  if (found === undefined) {
    const [field, from] = aspectRatio === undefined ? ['resolution', resolution] : ['aspect_ratio', aspectRatio];
    return { shape: names, adaptations: [impossible(field, from ?? '', OTHER_SHAPE)] };
  }
  const to = spellSize(found);
  const adaptations = given(names).map(([field, from]) =>
    known[field as keyof typeof known] === undefined ? dropped(field, from, UNKNOWN_NAME) : mapped(field, from, to),
  );
  return { shape: { size: to }, adaptations };
}

function asRatio(shape: Shape, rule: RatioRule): AdaptedShape {
  const { size, aspectRatio, resolution } = shape;
  const told = resolution === undefined ? {} : adaptResolution(resolution, rule);
  const rest = told.adaptation === undefined ? [] : [told.adaptation];
  const named = told.to === undefined ? {} : { resolution: told.to };
  const wanted = size === undefined ? undefined : parseSize(size);
  if (size !== undefined && wanted !== undefined) {
    const ratio = nearestRatio(wanted.width / wanted.height, rule);
    if (ratio === undefined) return { shape, adaptations: [impossible('size', size, otherRatio(rule))] };
    const large = { ...resolutionFor(wanted, rule), ...named };
    const to = large.resolution === undefined ? ratio : `${ratio} at ${large.resolution}`;
    const unused = aspectRatio === undefined ? [] : [dropped('aspect_ratio', aspectRatio, SIZE_SAYS_IT)];
    return { shape: { aspectRatio: ratio, ...large }, adaptations: [mapped('size', size, to), ...unused, ...rest] };
  }
  const auto = size === undefined ? [] : [dropped('size', size, size === 'auto' ? CHOSEN_BY_MODEL : NO_SIZE)];
  const ratio = aspectRatio === undefined ? {} : adaptRatio(aspectRatio, rule);
  if (ratio.adaptation?.action === 'impossible') return { shape, adaptations: [ratio.adaptation] };
  return {
    shape: { ...(ratio.to !== undefined && { aspectRatio: ratio.to }), ...named },
    adaptations: [...auto, ...(ratio.adaptation ? [ratio.adaptation] : []), ...rest],
  };
}

interface Told {
  readonly adaptation?: Adaptation;
  readonly to?: string;
}

function adaptRatio(asked: string, rule: RatioRule): Told {
  if (rule.ratios.includes(asked)) return { adaptation: kept('aspect_ratio', asked), to: asked };
  const ratio = parseRatio(asked);
  if (ratio === undefined) return { adaptation: dropped('aspect_ratio', asked, 'it is not WIDTH:HEIGHT') };
  const to = nearestRatio(ratio, rule);
  if (to === undefined) return { adaptation: impossible('aspect_ratio', asked, otherRatio(rule)) };
  return { adaptation: mapped('aspect_ratio', asked, to), to };
}

function adaptResolution(asked: string, { resolutions = [] }: RatioRule): Told {
  if (resolutions.some(([name]) => name === asked)) return { adaptation: kept('resolution', asked), to: asked };
  const side = parseResolution(asked);
  const to = side === undefined ? undefined : nearestResolution(side, resolutions);
  if (to !== undefined) return { adaptation: mapped('resolution', asked, to), to };
  const reason = resolutions.length === 0 ? 'this model has one resolution' : 'nobody here knows how large that is';
  return { adaptation: dropped('resolution', asked, reason) };
}

function resolutionFor({ width, height }: Pixels, { resolutions = [] }: RatioRule): Shape {
  const resolution = nearestResolution(Math.sqrt(width * height), resolutions);
  return resolution === undefined ? {} : { resolution };
}

function nearestResolution(side: number, resolutions: NonNullable<RatioRule['resolutions']>): string | undefined {
  return nearestOf(resolutions, ([, one]) => off(one, side))?.[0];
}

/** Undefined where every ratio makes another picture. */
function nearestRatio(asked: number, { ratios }: RatioRule): string | undefined {
  const known = ratios.flatMap((name) => {
    const ratio = parseRatio(name);
    return ratio !== undefined && isAlike(ratio, asked) ? [{ name, ratio }] : [];
  });
  return nearestOf(known, ({ ratio }) => off(ratio, asked))?.name;
}

const MAX_SHOWN = 16;

function otherRatio({ ratios }: RatioRule): string {
  return `every ratio of this model is another, by more than a quarter; ask for one of ${ratios.slice(0, MAX_SHOWN).join(', ')}`;
}

function kept(field: string, from: string): Adaptation {
  return { field, action: 'kept', from };
}

function mapped(field: string, from: string, to: string): Adaptation {
  return { field, action: 'mapped', from, to, reason: 'the nearest in this model’s terms' };
}

function dropped(field: string, from: string, reason: string): Adaptation {
  return { field, action: 'dropped', from, reason };
}

function impossible(field: string, from: string, reason: string): Adaptation {
  return { field, action: 'impossible', from, reason };
}
