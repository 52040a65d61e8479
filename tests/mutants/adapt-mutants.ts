import { defects, type Mutant } from './mutant.ts';

const ADAPT = ['policy/adapt.test.ts', 'policy/adapt-properties.test.ts'];

const adapt = defects('core', 'policy/adapt.ts', ADAPT, [
  ['drops the seed that a model takes', 'if (maxSeed === undefined) return', 'if (maxSeed !== undefined) return'],
  ['lets an impossible field pass', 'if (worst) return', 'if (worst && options.strict) return'],
  ['lets strict change what was asked for', 'if (options.strict && first) {', 'if (options.strict && !first) {'],
  ['turns a transparent picture into a JPEG', "&& !(isTransparent && format === 'jpeg')", ''],
  ['gives the dearer of two qualities', '(a, b) => a.at - b.at', '(a, b) => b.at - a.at'],
  [
    'sends a target of a route what was meant for another',
    'shaped : withExtra(shaped, extra.passed)',
    'shaped : shaped',
  ],
  ['sends pictures by links that nobody can open', "references?.as === 'link' && !links", 'false'],
  ['sends more pictures than a model works from', 'images.length > max ?', 'images.length > max * 9 ?'],
  ['counts halves of characters', '[...prompt].length', 'prompt.length'],
  [
    'leaves a field unsaid that it changed',
    'const extra = adaptExtra(request, {',
    'const extra = adaptExtra({ ...request, extra: {} }, {',
  ],
]);

const size = defects('core', 'policy/size.ts', ADAPT, [
  ['calls a size kept that it changed', "to === size ? kept('size', size)", "to !== size ? kept('size', size)"],
  ['forgets how large it was', 'const large = { ...resolutionFor(wanted, rule), ...named };', 'const large = named;'],
  [
    'lets a ratio win over a size',
    'if (size !== undefined && wanted !== undefined) {',
    'if (aspectRatio === undefined && size !== undefined && wanted !== undefined) {',
  ],
]);

const pixels = defects('core', 'policy/pixels.ts', ADAPT, [
  ['makes a wide picture square', 'off(a, b) <= Math.log(MAX_RATIO_OFF)', 'off(a, b) <= Math.log(MAX_RATIO_OFF * 9)'],
  ['asks for more pixels than there may be', 'area >= minPixels && area <= maxPixels', 'area >= minPixels'],
  ['asks for sides that are no multiple', 'width % multipleOf !== 0 || height % multipleOf !== 0 ||', ''],
]);

const PLAN = ['adaptation.test.ts'];

const route = defects('core', 'route.ts', PLAN, [
  ['serves a retired model under strict', 'if (retirement && set.strict)', 'if (retirement && !set)'],
  ['falls back although it may not', 'set.fallback === false ? 1 : undefined', 'undefined'],
  ['makes equal pictures of one seed', 'seed + index - maxSeed - 1', 'seed'],
]);

const names = defects('core', 'model-names.ts', PLAN, [
  ['takes a name from who has a model of it', 'if (findRoute(name, catalogue)) return undefined;', ''],
  ['serves a successor that nobody wants', 'if (!aliases) return retired', 'if (aliases === null) return retired'],
]);

const target = defects('core', 'plan-target.ts', PLAN, [
  ['sends a chat model a picture to make', 'return isForChat && !models', 'return false && !models'],
  ['stores every request twice', 'request !== asked.original && ', ''],
]);

const told = defects(
  'gateway',
  'http/adapted.ts',
  ['http/adapted.test.ts'],
  [
    ['counts who comes later in the route', 'one.at <= at', 'one.at >= 0'],
    ['tells of what was kept', "({ action }) => action !== 'kept'", '() => true'],
    ['puts any letter into a header', "field.replaceAll(/[^\\w.[\\]-]/g, '?')", 'field'],
  ],
);

export const ADAPT_MUTANTS: readonly Mutant[] = [...adapt, ...size, ...pixels, ...route, ...names, ...target, ...told];
