import {
  type Catalogue,
  capabilityFacts,
  isChatModel,
  type JsonObject,
  type ListedModel,
  modelOf,
  nearMatches,
  type PlannedTarget,
  planImage,
  type Retirement,
  retirementAt,
  splitTarget,
} from '@onetake/core';
import { type ChatFacts, chatFacts, chatNames } from './chat-models.ts';
import { type LimitsOf, limitsView, type ModelLimits } from './model-limits.ts';
import { type ModelPrice, priceView } from './model-price.ts';
import { FailureProblem, RequestProblem } from './problem.ts';

/** A model as OpenAI lists it, and under `onetake` what a caller plans by. */
export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  /** Epoch seconds. */
  readonly created: number;
  readonly owned_by: string;
  readonly onetake?: ModelFacts;
}

export interface ModelFacts {
  /** What it stands for, in the order in which they are tried. */
  readonly targets: readonly string[];
  /** Null when nobody here knows it, never 0. Of a route with several targets, the dearest. */
  readonly price: ModelPrice | null;
  /** Of what makes pictures: a request for more is split. */
  readonly max_images_per_call?: number;
  /** What it makes of pictures; empty for a model that only chats. */
  readonly operations: readonly string[];
  /** Of what chats: the paths under `/v1` it may be sent to, such as `chat/completions`. */
  readonly endpoints?: readonly string[];
  /** Of what chats, where it is known: it thinks before it speaks. */
  readonly reasoning?: boolean;
  /** Of the first target: what it can be told, in the terms of `models:` in the configuration. */
  readonly capabilities?: JsonObject;
  /** It shows pictures while it draws them, where a request is streamed. */
  readonly streams?: true;
  /** Of the first target: what is known of them now. */
  readonly limits?: ModelLimits;
  /** ISO date on which the first target stops working, as far as its provider says. */
  readonly shutdown_date?: string;
  /** Its provider shut it down: since when (ISO date), and what serves in its place. */
  readonly retired?: { readonly on: string; readonly successor: string };
}

/** What is learned while the gateway runs. */
export interface KnownNow {
  readonly limitsOf?: LimitsOf;
  /** What the provider itself lists of a target. */
  readonly listed?: (target: string) => ListedModel | undefined;
  /** Everything that a provider lists. */
  readonly modelsOf?: (provider: string) => Iterable<ListedModel>;
}

const GATEWAY = 'onetake';

/** Its models are named after what goes wrong with them: a bare `500` in a list would read as an error. */
const ALWAYS_QUALIFIED = 'sandbox';

/**
 * `GET /v1/models`: routes first, then every known model once, and the models of chat that providers list today. Each
 * has its bare name where that reaches it, and is `provider/model` where an earlier provider or a route has taken the
 * name. Providers do not say when their models were created, so `created` is `startedAt` (epoch ms).
 */
export function modelList(
  catalogue: Catalogue,
  startedAt: number,
  known?: KnownNow,
): { object: 'list'; data: readonly ModelEntry[] } {
  const data = [...listedNames(catalogue, known)].map(([id, owner]) => entry(catalogue, id, owner, startedAt, known));
  return { object: 'list', data };
}

/** `GET /v1/models/{id}` for every name a request may use, listed or not; throws a 404 with near matches otherwise. */
export function modelEntry(catalogue: Catalogue, id: string, startedAt: number, known?: KnownNow): ModelEntry {
  const retirement = retirementAt(id, catalogue);
  if (retirement) return retiredEntry(catalogue, id, retirement, startedAt, known);
  const owner = ownerOf(catalogue, id);
  if (owner === undefined) throw unknownModel(catalogue, id, known);
  return entry(catalogue, id, owner, startedAt, known);
}

/** The facts of its successor; throws what a request would be told where nothing serves in its place. */
function retiredEntry(
  catalogue: Catalogue,
  id: string,
  { retiredOn, successor }: Retirement,
  startedAt: number,
  known: KnownNow | undefined,
): ModelEntry {
  const planned = planImage(PROBE, id, catalogue, {}, 0);
  if (!planned.ok) throw new FailureProblem(planned.failure);
  const owner = planned.plan.targets[0]?.provider ?? GATEWAY;
  const { onetake, ...base } = entry(catalogue, id, owner, startedAt, known);
  return { ...base, ...(onetake && { onetake: { ...onetake, retired: { on: retiredOn, successor } } }) };
}

function listedNames(catalogue: Catalogue, known: KnownNow | undefined): ReadonlyMap<string, string> {
  const owners = new Map(Object.keys(catalogue.routes).map((route) => [route, GATEWAY]));
  for (const { id: provider, provider: adapter } of catalogue.connections) {
    for (const { id } of adapter.models) {
      const isTaken = provider === ALWAYS_QUALIFIED || owners.has(id);
      owners.set(isTaken ? `${provider}/${id}` : id, provider);
    }
  }
  for (const [id, provider] of chatNames(catalogue, known?.modelsOf)) {
    const isTaken = provider === ALWAYS_QUALIFIED || (owners.has(id) && owners.get(id) !== provider);
    owners.set(isTaken && !id.startsWith(`${provider}/`) ? `${provider}/${id}` : id, provider);
  }
  return owners;
}

/** In the order requests are routed by: a route, a named provider, the first that lists it, the understudy. */
function ownerOf(catalogue: Catalogue, id: string): string | undefined {
  if (Object.hasOwn(catalogue.routes, id)) return GATEWAY;
  const { provider } = splitTarget(id);
  const chats = () => chatFacts(catalogue, id)?.targets[0]?.provider;
  if (catalogue.connections.some((one) => one.id === provider)) return modelOf(id, catalogue) ? provider : chats();
  return listerOf(catalogue, id) ?? chats() ?? (isChatModel(id) ? undefined : catalogue.understudy);
}

function entry(
  catalogue: Catalogue,
  id: string,
  owner: string,
  startedAt: number,
  known: KnownNow | undefined,
): ModelEntry {
  const facts = factsOf(catalogue, id, known);
  const base = { id, object: 'model', created: Math.floor(startedAt / 1000), owned_by: owner } as const;
  return { ...base, ...(facts && { onetake: facts }) };
}

/** Planned like a request, so that it says what a request would meet. */
function factsOf(catalogue: Catalogue, id: string, known: KnownNow | undefined): ModelFacts | undefined {
  const chat = chatFacts(catalogue, id);
  const drawing = targetsOf(catalogue, id);
  const targets = drawing.length > 0 ? drawing : (chat?.targets ?? []);
  const [first] = targets;
  if (first === undefined) return undefined;
  const limits = known?.limitsOf?.(first.id);
  const shutdownDate = known?.listed?.(first.id)?.shutdownDate;
  return {
    targets: targets.map((target) => target.id),
    price: priceView(targets, drawing.length === 0),
    ...pictureFacts(catalogue, drawing),
    ...(chat && chatView(chat)),
    ...(limits && { limits: limitsView(limits) }),
    ...(shutdownDate !== undefined && { shutdown_date: shutdownDate }),
  };
}

function pictureFacts(catalogue: Catalogue, targets: readonly PlannedTarget[]) {
  const [first] = targets;
  if (first === undefined) return { operations: [] };
  const { capabilities, shutdownDate } = modelOf(first.id, catalogue) ?? {};
  return {
    max_images_per_call: Math.min(...targets.map((target) => target.maxImagesPerCall)),
    operations: [...new Set(targets.flatMap((target) => modelOf(target.id, catalogue)?.operations ?? []))],
    ...(capabilities && { capabilities: capabilityFacts(capabilities) }),
    ...(first.streams && { streams: true as const }),
    ...(shutdownDate !== undefined && { shutdown_date: shutdownDate }),
  };
}

function chatView({ endpoints, reasoning, shutdownDate }: ChatFacts) {
  return {
    endpoints,
    ...(reasoning !== undefined && { reasoning }),
    ...(shutdownDate !== undefined && { shutdown_date: shutdownDate }),
  };
}

const PROBE = { operation: 'generate', prompt: '-', n: 1 } as const;

function targetsOf(catalogue: Catalogue, id: string): readonly PlannedTarget[] {
  if (!isForPictures(catalogue, id)) return [];
  for (const operation of ['generate', 'edit'] as const) {
    const planned = planImage({ ...PROBE, operation }, id, catalogue, {}, 0);
    if (planned.ok) return planned.plan.targets;
  }
  return [];
}

/** Asked before it is planned: a plan that finds nobody looks for names like it, and a list has many of chat alone. */
function isForPictures(catalogue: Catalogue, id: string): boolean {
  if (Object.hasOwn(catalogue.routes, id) || modelOf(id, catalogue) || listerOf(catalogue, id)) return true;
  const isNamed = catalogue.connections.some((one) => one.id === splitTarget(id).provider);
  return (catalogue.understudy !== undefined && !isNamed) || retirementAt(id, catalogue) !== undefined;
}

/** The first that has a model for pictures under this bare name. */
function listerOf({ connections }: Catalogue, id: string): string | undefined {
  return connections.find((one) => one.provider.models.some((model) => model.id === id))?.id;
}

function unknownModel(catalogue: Catalogue, id: string, known: KnownNow | undefined): RequestProblem {
  const near = nearMatches(id, [...listedNames(catalogue, known).keys()]);
  const wayOut =
    near.length > 0 ? `did you mean ${near.map((one) => `"${one}"`).join(' or ')}?` : 'GET /v1/models lists them';
  const message = `model: no provider or route here answers to "${id.slice(0, 200)}"; ${wayOut}`;
  return new RequestProblem(404, 'model_not_found', message, { param: 'model' });
}
