import { randomInt } from 'node:crypto';
import type { Adaptation } from './capabilities.ts';
import { createMemoryCells } from './cells.ts';
import { type Cost, costOf } from './cost.ts';
import { type Connection, RUN_LIMITS } from './environment.ts';
import { OnetakeError } from './errors.ts';
import { foldGeneration } from './generation.ts';
import { createHealthBook } from './health.ts';
import { type Asset, type AssetStore, IMAGE_TYPES } from './images/asset.ts';
import { createMemoryAssets } from './images/memory-assets.ts';
import type { Io } from './io.ts';
import type { Event, Journal, Outcome } from './journal.ts';
import { type Catalogue, type PolicySettings, type Route, splitTarget } from './model-names.ts';
import { createPacer } from './pacer.ts';
import type { Ticket } from './pacing.ts';
import type { Plan } from './plan.ts';
import type { ConfiguredRules } from './plan-prompt.ts';
import { createFairClock } from './policy/fair-queue.ts';
import type { PromptFinding } from './policy/prompt-finding.ts';
import type { PromptRules } from './policy/prompt-rules.ts';
import { starterRules } from './policy/prompt-rules-file.ts';
import { PROVIDERS } from './providers/index.ts';
import { openaiCompatible } from './providers/openai.ts';
import type { Limits } from './rate.ts';
import type { ImageRequest } from './request.ts';
import { limitsOf, planImage, splitPlan } from './route.ts';
import { PARKED, run } from './run.ts';
import { DRAWN_SEEDS } from './seed.ts';
import { systemIo } from './system-io.ts';
import { createTurns } from './turns.ts';

/** A provider the client may use; the secret is only ever given to its adapter's `authorize`. */
export interface ClientProvider {
  /** Which protocol it speaks, the id of one of `PROVIDERS`; default: the provider's own name, else OpenAI's. */
  readonly kind?: string;
  readonly apiKey?: string;
  /** Default: the provider's public address. */
  readonly baseUrl?: string;
}

export interface ClientConfig {
  readonly providers: Readonly<Record<string, ClientProvider>>;
  readonly routes?: Readonly<Record<string, Route>>;
  readonly defaultModel?: string;
  readonly policy?: PolicySettings;
  /** `on` holds prompts against the rules that ship; rules of your own are read by `readPromptRules`. Default off. */
  readonly promptRules?: 'on' | 'off' | PromptRules;
  /** What providers allow, by target or `provider/*`; what is not told here is learned from their answers. */
  readonly limits?: Readonly<Record<string, Limits>>;
  /** Pictures kept in memory at most, in bytes; default 256 MiB. */
  readonly maxImageBytes?: number;
  /** Sees every journal event as it is recorded. */
  readonly onEvent?: (event: Event) => void;
  /** Clock and network; default the system's. */
  readonly io?: Io;
}

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

type GenerateParams = Omit<ImageRequest, 'operation' | 'n'> &
  Partial<Pick<ImageRequest, 'operation' | 'n'>> & {
    readonly model?: string;
    readonly policy?: PolicySettings;
    readonly signal?: AbortSignal;
  };

export interface Client {
  readonly images: { generate(params: GenerateParams): Promise<ImageResult> };
  close(): Promise<void>;
}

const DEFAULT_IMAGE_BYTES = 256 * 1024 * 1024;

/**
 * The engine in your process: evidence-based retries, fallback, breakers and verified pictures, without a server.
 * `generate` resolves with pictures that open and throws `OnetakeError` for everything else.
 */
export function createClient(config: ClientConfig): Client {
  const io = config.io ?? systemIo();
  const assets = createMemoryAssets({ maxBytes: config.maxImageBytes ?? DEFAULT_IMAGE_BYTES });
  const health = createHealthBook();
  const clock = createFairClock();
  const catalogue: Catalogue = {
    connections: Object.entries(config.providers).map(([id, provider]) => connect(id, provider)),
    routes: config.routes ?? {},
    defaultModel: config.defaultModel,
    promptRules: rulesOf(config.promptRules),
  };
  const limits = (target: string) => limitsOf(target, config.limits ?? {}, catalogue);
  const pacer = createPacer({ limits, cells: createMemoryCells(), io });

  async function generate({ model, policy, signal, ...wanted }: GenerateParams): Promise<ImageResult> {
    const request: ImageRequest = { operation: 'generate', n: 1, ...wanted };
    const settings = { harvestMs: 0, ...config.policy, ...policy };
    const planned = planImage(request, model, catalogue, settings, io.now(), randomInt(DRAWN_SEEDS));
    if (!planned.ok) throw new OnetakeError(planned.failure);
    const { plan } = planned;
    const children = splitPlan(plan);
    const journals = children.map(() => memoryJournal(config.onEvent));
    const environment = {
      io,
      assets,
      health,
      turns: createTurns({ pacer, health, io, clock, ticket: (target) => ticketAt(target, request.n) }),
      connection: (id: string) => catalogue.connections.find((one) => one.id === id),
      presence: () => ({ unsentGraceMs: 0 }),
      onPresence: () => () => {},
      cancel: signal ?? new AbortController().signal,
      park: new AbortController().signal,
      limits: RUN_LIMITS,
    };
    const id = `${plan.createdAt}:${request.prompt}`;
    await Promise.all(
      children.map((child, index) => run(`${id}:${index}`, child, journals[index] ?? memoryJournal(), environment)),
    );
    const events = journals.map((journal) => journal.events);
    const generation = foldGeneration(events);
    const outcome = generation.outcome ?? unfinished();
    const context = { rewrite: plan.rewrite, hasImages: request.images !== undefined };
    if (!outcome.ok) throw new OnetakeError(outcome.failure, events, context);
    return {
      images: outcome.images.map(({ asset, flagged, seed }) => ({
        ...readable(asset, assets),
        ...(seed !== undefined && { seed }),
        ...(flagged !== undefined && { flagged }),
      })),
      missing: (outcome.missing ?? []).map((failure) => new OnetakeError(failure, events, context)),
      targets: generation.targets,
      ...madeBy(plan, generation.targets[0] ?? ''),
      attempts: generation.attempts,
      paidAttempts: generation.paidAttempts,
      warnings: plan.warnings ?? [],
      cost: costOf(plan, generation),
    };
  }

  function ticketAt(target: string, pictures: number): Ticket {
    return { caller: '', tag: clock.tag(target, '', 'interactive', pictures).tag };
  }

  return {
    images: { generate },
    close: async () => {
      if ('close' in io && typeof io.close === 'function') await io.close();
    },
  };
}

/** A policy may switch on the rules that ship where none are configured. */
function rulesOf(given: ClientConfig['promptRules'] = 'off'): ConfiguredRules {
  const rules = typeof given === 'string' ? starterRules() : given;
  return { rules, everywhere: given !== 'off' };
}

function connect(id: string, { kind, apiKey, baseUrl }: ClientProvider): Connection {
  const native = PROVIDERS.find((provider) => provider.id === (kind ?? id));
  if (kind !== undefined && native === undefined) {
    const known = PROVIDERS.map((provider) => provider.id).join(', ');
    throw new TypeError(`providers.${id}.kind: expected one of ${known}, got "${kind}"`);
  }
  const provider = native ?? openaiCompatible;
  const address = baseUrl ?? provider.access?.baseUrl;
  if (address === undefined)
    throw new TypeError(`providers.${id}.baseUrl: missing; "${id}" has no known public address`);
  return { id, provider, baseUrl: address.replace(/\/+$/, ''), secret: apiKey ?? '' };
}

function madeBy(plan: Plan, id: string): Pick<ImageResult, 'provider' | 'model' | 'adapted'> {
  return { ...splitTarget(id), adapted: plan.targets.find((target) => target.id === id)?.adapted ?? [] };
}

function memoryJournal(onEvent?: (event: Event) => void): Journal {
  const events: Event[] = [];
  return {
    events,
    append: async (added) => {
      events.push(...added);
      for (const event of added) onEvent?.(event);
    },
  };
}

function readable(asset: Asset, assets: AssetStore) {
  const bytes = async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of assets.read(asset)) chunks.push(chunk);
    return new Uint8Array(Buffer.concat(chunks));
  };
  return { asset, mime: IMAGE_TYPES[asset.type].mime, bytes };
}

function unfinished(): Outcome {
  return {
    ok: false,
    failure: { kind: 'interrupted', certainty: 'ambiguous', message: `the run was ${String(PARKED.description)}` },
  };
}
