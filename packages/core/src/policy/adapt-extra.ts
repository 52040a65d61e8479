import type { Adaptation } from '../capabilities.ts';
import type { JsonObject } from '../json.ts';
import type { ImageRequest } from '../request.ts';

export interface ExtraOptions {
  /** Of a route: fields that Onetake does not know are for this target alone. */
  readonly isFirst: boolean;
  /** Nothing is billed there, so that a count of its own costs nobody. */
  readonly isFree?: boolean;
  /** What the model takes is known, and what is kept is reported. */
  readonly isKnown: boolean;
}

const MAX_EXTRA_NAMES = 20;
const MAX_NAME_CHARS = 100;

/**
 * Fields that Onetake does not know: for the first target, for others none of them. Some pass to nobody: those that
 * would make, and bill, more pictures than were planned, and those that would have an answer sent past us.
 */
export function adaptExtra({ extra = {} }: ImageRequest, { isFirst, isFree = false, isKnown }: ExtraOptions) {
  const judged = Object.keys(extra).map(
    (name) => [name, isFirst ? closedBecause(name, isFree) : OF_THE_FIRST] as const,
  );
  const open = judged.flatMap(([name, reason]) => (reason === undefined ? [name] : []));
  const shown = isKnown ? judged : judged.filter(([, reason]) => reason !== undefined);
  const named = shown
    .slice(0, MAX_EXTRA_NAMES)
    .map(([name, reason]) => ({ field: name.slice(0, MAX_NAME_CHARS), ...verdictOf(reason) }));
  const dropped = shown.slice(MAX_EXTRA_NAMES).filter(([, reason]) => reason !== undefined).length;
  const kept = shown.length - named.length - dropped;
  const adaptations: readonly Adaptation[] = [
    ...named,
    ...(kept > 0 ? [{ field: 'others', from: `${kept} more fields`, action: 'kept' } as const] : []),
    ...(dropped > 0 ? [{ field: 'others', from: `${dropped} more fields`, ...verdictOf(NOT_PASSED) }] : []),
  ];
  const passed: JsonObject = Object.fromEntries(open.map((name) => [name, extra[name]]));
  return { adaptations, isWhole: open.length === judged.length, passed };
}

function verdictOf(reason: string | undefined): Pick<Adaptation, 'action' | 'reason'> {
  return reason === undefined ? { action: 'kept' } : { action: 'dropped', reason };
}

const OF_THE_FIRST = 'Onetake does not know it, and it goes to the first target of the route only';
const NOT_PASSED = 'Onetake does not pass it on';
const COUNTED = 'how many pictures are made, and paid for, is what n says';
const CALLED_BACK = 'the provider answers Onetake, which tells you itself';

/** Where an answer would go, in whatever spelling. */
const CALLBACK = /webhook|callback|notify(?:hook|url)/;
/** What providers call the number of pictures, without underscores and in lower case. */
const COUNTS: ReadonlySet<string> = new Set([
  ...['n', 'numimages', 'numoutputs', 'numberofimages', 'numsamples', 'numimagesperprompt', 'numgenerations'],
  ...['imagecount', 'imagenum', 'candidatecount', 'samplecount', 'maximages', 'batchsize', 'batchcount', 'niter'],
  ...['samples', 'repeat'],
]);

function closedBecause(name: string, isFree: boolean): string | undefined {
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  if (CALLBACK.test(plain)) return CALLED_BACK;
  return !isFree && COUNTS.has(plain) ? COUNTED : undefined;
}
