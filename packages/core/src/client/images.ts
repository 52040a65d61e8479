import { randomInt } from 'node:crypto';
import type { Adaptation } from '../capabilities.ts';
import { type Cost, costOf } from '../cost.ts';
import { errorFor } from '../error-classes.ts';
import type { OnetakeError } from '../errors.ts';
import type { Failure } from '../failure.ts';
import { foldGeneration, type Generation } from '../generation.ts';
import { type Asset, type AssetStore, IMAGE_TYPES } from '../images/asset.ts';
import type { Event, Outcome } from '../journal.ts';
import { type PolicySettings, splitTarget } from '../model-names.ts';
import type { Plan } from '../plan.ts';
import type { PromptFinding } from '../policy/prompt-finding.ts';
import type { ImageRequest } from '../request.ts';
import { planImage, splitPlan } from '../route.ts';
import { run } from '../run.ts';
import { DRAWN_SEEDS } from '../seed.ts';
import type { SuggestionContext } from '../suggestions.ts';
import type { Engine } from './engine.ts';
import { brokenOff, UNFINISHED } from './interrupted.ts';

export interface ImageResult {
  readonly images: readonly {
    readonly asset: Asset;
    readonly mime: string;
    /** What its provider marked it as, such as `nsfw`. */
    readonly flagged?: string;
    /** What it was made with, where that is known: with the same seed a model makes much the same picture again. */
    readonly seed?: number;
    bytes(): Promise<Uint8Array>;
  }[];
  /** What was asked for and not made; empty when nothing is missing. */
  readonly missing: readonly OnetakeError[];
  readonly targets: readonly string[];
  /** Who made the first picture. */
  readonly provider: string;
  readonly model: string;
  /** What became of the request on its way there: empty where nobody knows what the model takes. */
  readonly adapted: readonly Adaptation[];
  /** What the prompt rules say about it, though they let it pass. */
  readonly warnings: readonly PromptFinding[];
  readonly attempts: number;
  readonly paidAttempts: number;
  readonly cost: Cost;
}

export type GenerateParams = Omit<ImageRequest, 'operation' | 'n'> &
  Partial<Pick<ImageRequest, 'operation' | 'n'>> & {
    readonly model?: string;
    readonly policy?: PolicySettings;
    readonly signal?: AbortSignal;
  };

/** Pictures that were made, or why there are none, with everything that was tried. */
export type Made = { readonly journals: readonly (readonly Event[])[] } & (
  | {
      readonly ok: true;
      readonly plan: Plan;
      readonly generation: Generation;
      readonly outcome: Outcome & { ok: true };
    }
  | { readonly ok: false; readonly failure: Failure; readonly context: SuggestionContext }
);

/** Makes the pictures of one request; resolves whatever happens. */
export async function makeImages(
  engine: Engine,
  { model, policy, signal = new AbortController().signal, ...wanted }: GenerateParams,
): Promise<Made> {
  const request: ImageRequest = { operation: 'generate', n: 1, ...wanted };
  const settings = { harvestMs: 0, ...engine.policy, ...policy };
  const planned = planImage(request, model, engine.catalogue, settings, engine.io.now(), randomInt(DRAWN_SEEDS));
  if (!planned.ok) return { ok: false, failure: planned.failure, journals: [], context: {} };
  const { plan } = planned;
  const parts = splitPlan(plan).map((child) => ({ child, journal: engine.journal() }));
  const environment = engine.environment(request.n, signal);
  const runs = parts.map(({ child, journal }) => run(engine.nextRunId(), child, journal, environment));
  const settled = await Promise.allSettled(runs);
  const thrown = settled.find((one) => one.status === 'rejected');
  const journals = parts.map(({ journal }) => journal.events);
  const generation = foldGeneration(journals);
  const outcome = generation.outcome ?? (thrown ? brokenOff(thrown.reason) : UNFINISHED);
  if (outcome.ok) return { ok: true, plan, generation, outcome, journals };
  return { ok: false, failure: outcome.failure, context: contextOf(plan), journals };
}

/** Resolves with pictures that open, and throws the error of the cause for everything else. */
export async function generate(engine: Engine, params: GenerateParams): Promise<ImageResult> {
  const made = await makeImages(engine, params);
  const { journals } = made;
  if (!made.ok) throw errorFor(made.failure, { journals, signal: params.signal, ...made.context });
  const { plan, generation, outcome } = made;
  const told = { journals, ...contextOf(plan) };
  return {
    images: outcome.images.map(({ asset, flagged, seed }) => ({
      ...readable(asset, engine.assets),
      ...(seed !== undefined && { seed }),
      ...(flagged !== undefined && { flagged }),
    })),
    missing: (outcome.missing ?? []).map((failure) => errorFor(failure, told)),
    targets: generation.targets,
    ...madeBy(plan, generation.targets[0] ?? ''),
    attempts: generation.attempts,
    paidAttempts: generation.paidAttempts,
    warnings: plan.warnings ?? [],
    cost: costOf(plan, generation),
  };
}

function contextOf({ rewrite, request }: Plan): SuggestionContext {
  return { rewrite, hasImages: request.images !== undefined };
}

function madeBy(plan: Plan, id: string): Pick<ImageResult, 'provider' | 'model' | 'adapted'> {
  return { ...splitTarget(id), adapted: plan.targets.find((target) => target.id === id)?.adapted ?? [] };
}

function readable(asset: Asset, assets: AssetStore) {
  return { asset, mime: IMAGE_TYPES[asset.type].mime, bytes: () => bytesOf(asset, assets) };
}

export async function bytesOf(asset: Asset, assets: AssetStore): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of assets.read(asset)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
