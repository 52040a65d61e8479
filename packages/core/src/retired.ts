/**
 * Names of models that were shut down, and what does their work now. Dates: OpenAI's and Google's deprecation pages and
 * the openai SDK 7.55, read 2026-11; of Imagen, whose date was moved twice, the last one announced.
 */
import type { Adaptation } from './capabilities.ts';
import type { ImageRequest } from './request.ts';

export interface Retirement {
  /** The name without a provider. */
  readonly name: string;
  /** The provider that had it, as names begin with it: `openai` in `openai/dall-e-3`. */
  readonly provider: string;
  /** ISO date. */
  readonly retiredOn: string;
  /** Without a provider. */
  readonly successor: string;
}

type Retired = Omit<Retirement, 'name'> & { readonly names: RegExp };

const OPENAI = { provider: 'openai', successor: 'gpt-image-2' } as const;

/** Only those with a clear successor. */
const RETIRED: readonly Retired[] = [
  { names: /^dall-e-[23]$/, ...OPENAI, retiredOn: '2026-05-12' },
  { names: /^gpt-image-1(?:-\d{4}-\d\d-\d\d)?$/, ...OPENAI, retiredOn: '2026-10-23' },
  {
    names: /^imagen-[34](?:\.\d)?-[a-z0-9-]{1,40}$/,
    provider: 'google',
    successor: 'gemini-3.1-flash-image',
    retiredOn: '2026-08-17',
  },
];

/** What became of a model, by its name without a provider. */
export function retirementOf(name: string): Retirement | undefined {
  const found = RETIRED.find(({ names }) => names.test(name));
  if (found === undefined) return undefined;
  const { names: _names, ...retired } = found;
  return { name, ...retired };
}

/** DALL·E's words for quality. */
const QUALITIES: Readonly<Record<string, string>> = { hd: 'high', standard: 'medium' };

/** A request in the words of a retired model, in those of its successor's kind. */
export function translateRetired(
  request: ImageRequest,
  { name, successor, retiredOn }: Retirement,
): { readonly request: ImageRequest; readonly adaptations: readonly Adaptation[] } {
  const model: Adaptation = {
    field: 'model',
    action: 'mapped',
    from: name,
    to: successor,
    reason: `${name} was retired on ${retiredOn}`,
  };
  const { quality, extra, ...rest } = request;
  const to = quality !== undefined && Object.hasOwn(QUALITIES, quality) ? QUALITIES[quality] : undefined;
  const { style, ...others } = extra ?? {};
  const left = Object.keys(others).length > 0 ? others : undefined;
  const reason = `${successor} has no such word`;
  return {
    request: {
      ...rest,
      ...((to ?? quality) !== undefined && { quality: to ?? quality }),
      ...(left && { extra: left }),
    } as ImageRequest,
    adaptations: [
      model,
      ...(quality !== undefined && to !== undefined
        ? [{ field: 'quality', action: 'mapped', from: quality, to, reason } as const]
        : []),
      ...(style === undefined
        ? []
        : [{ field: 'style', action: 'dropped', from: String(style).slice(0, 100), reason: NO_STYLE } as const]),
    ],
  };
}

const NO_STYLE = 'its successor has none; say it in the prompt';

/** Two steps of one way as one: the first step's value before, the second's after. */
export function joinAdaptations(first: readonly Adaptation[], then: readonly Adaptation[]): readonly Adaptation[] {
  const joined = first.map((one) => {
    const next = then.find(({ field }) => field === one.field);
    if (next === undefined || next.action === 'kept') return one;
    return { ...next, ...(one.from !== undefined && { from: one.from }) };
  });
  return [...joined, ...then.filter(({ field }) => !first.some((one) => one.field === field))];
}
