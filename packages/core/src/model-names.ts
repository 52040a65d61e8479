import { chatModelReason, isChatModel } from './chat-models.ts';
import type { Connection } from './environment.ts';
import type { Failure } from './failure.ts';
import { nearMatches } from './near-matches.ts';
import type { OutputMismatch, Payment, SuspectPolicy } from './plan.ts';
import type { ConfiguredRules } from './plan-prompt.ts';
import type { Ladder } from './policy/refusal-ladder.ts';
import type { Model } from './providers/provider.ts';
import { type Retirement, retirementOf } from './retired.ts';

/** What a route, a key or a request may set; the request wins over the route, the route over the defaults. */
export interface PolicySettings {
  readonly payment?: Payment;
  readonly maxPaidAttempts?: number;
  readonly fallback?: boolean;
  readonly totalTimeoutMs?: number;
  readonly firstByteTimeoutMs?: number;
  /** Without progress for this long, a job at a target that bills nothing is given up and made elsewhere. Default 120,000. */
  readonly stallTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly harvestMs?: number;
  /** Refuses a target that would be sent anything else than what was asked for. Default false. */
  readonly strict?: boolean;
  /** `default`: models that take a negative prompt are told the list that ships beside the caller's; strict has none. */
  readonly negativePrompt?: 'default';
  /** What may be tried after a refusal; without it a refusal is the answer. */
  readonly refusals?: Ladder;
  /** What becomes of a picture that is doubted; without it only what needs no decoding is looked for, and told. */
  readonly suspect?: SuspectPolicy;
  /** What becomes of a picture in another format than was asked for. Default `rename`. */
  readonly outputMismatch?: OutputMismatch;
  /** The catalogue's prompt rules hold. Default: as the catalogue says. */
  readonly promptRules?: boolean;
  /** Names of retired models are served by their successors. Default: as the catalogue says; a route's is not read. */
  readonly aliases?: boolean;
}

/** A public model name: the targets to try in order, each `provider/model`. */
export interface Route {
  readonly targets: readonly string[];
  readonly policy?: PolicySettings;
}

/** Everything a model name can mean. */
export interface Catalogue {
  /** In the order of the configuration: a bare model name goes to the first that lists it. */
  readonly connections: readonly Connection[];
  readonly routes: Readonly<Record<string, Route>>;
  readonly defaultModel: string | undefined;
  /** What serves a request of chat that names no model; embeddings have no default. */
  readonly defaultChatModel?: string;
  /** Whether a provider's own list has the model, as far as it was asked. */
  readonly lists?: (provider: string, model: string) => boolean;
  /** Plays every name that nothing else answers to; set when no provider has a key. */
  readonly understudy?: string;
  /** What prompts are held against; without them only what no model draws is refused. */
  readonly promptRules?: ConfiguredRules;
  /** Names of retired models are served by their successors. Default true. */
  readonly aliases?: boolean;
}

export interface Resolved {
  readonly route: Route;
  readonly retirement?: Retirement;
}

/**
 * A configured route by its name; else who has a model of the name; else the successor of a retired model; else, played
 * by the understudy, anything.
 */
export function resolveName(name: string, catalogue: Catalogue, aliases: boolean): Resolved | Failure {
  const route = findRoute(name, catalogue);
  if (route) return { route };
  const retirement = retirementAt(name, catalogue);
  if (retirement === undefined) {
    const target = playedTarget(name, catalogue);
    if (target !== undefined) return { route: { targets: [target] } };
    return chatFailure(name, catalogue) ?? unknownModel(name, catalogue);
  }
  if (!aliases) return retired(retirement, 'use it, or let it serve with aliases: on');
  const { successor, provider } = retirement;
  const named = `${splitTarget(name).provider || provider}/${successor}`;
  const [first, second] = name.includes('/') ? [named, successor] : [successor, named];
  const serving = findRoute(first, catalogue) ?? findRoute(second, catalogue);
  if (serving) return { route: serving, retirement };
  const played = playedTarget(successor, catalogue);
  if (played !== undefined) return { route: { targets: [played] }, retirement };
  return retired(retirement, 'no provider here lists it: configure one that does, or a route of this name');
}

/** What became of a model that nobody here has any more. */
export function retirementAt(name: string, catalogue: Catalogue): Retirement | undefined {
  if (findRoute(name, catalogue)) return undefined;
  const { provider: prefix, model } = splitTarget(name);
  const retirement = retirementOf(model);
  if (retirement === undefined || prefix === '' || prefix === retirement.provider) return retirement;
  const named = catalogue.connections.find((one) => one.id === prefix);
  return named?.provider.models.some(({ id }) => id === retirement.successor) ? retirement : undefined;
}

/** A configured route by its name; else one made of the single target that a model name stands for. */
function findRoute(name: string, catalogue: Catalogue): Route | undefined {
  const route = Object.hasOwn(catalogue.routes, name) ? catalogue.routes[name] : undefined;
  if (route) return route;
  const target = ownTarget(name, catalogue);
  return target === undefined ? undefined : { targets: [target] };
}

/** `provider/model` split at the first slash, a bare name by who lists it, anything by the understudy. */
export function findTarget(name: string, catalogue: Catalogue): string | undefined {
  return ownTarget(name, catalogue) ?? playedTarget(name, catalogue);
}

function ownTarget(name: string, catalogue: Catalogue): string | undefined {
  const { provider, model } = splitTarget(name);
  const named = catalogue.connections.find((one) => one.id === provider);
  if (named) return model !== '' && named.provider.model(model) ? name : undefined;
  const lists = catalogue.connections.find((one) => one.provider.models.some((listed) => listed.id === name));
  return lists && `${lists.id}/${name}`;
}

function playedTarget(name: string, { understudy, connections }: Catalogue): string | undefined {
  const { provider, model } = splitTarget(name);
  const isNamed = connections.some((one) => one.id === provider);
  return understudy === undefined || isNamed ? undefined : `${understudy}/${model}`;
}

export function splitTarget(id: string): { provider: string; model: string } {
  const slash = id.indexOf('/');
  return slash < 0 ? { provider: '', model: id } : { provider: id.slice(0, slash), model: id.slice(slash + 1) };
}

/** Every public name, routes first, for listings and near matches. */
export function modelNames(catalogue: Catalogue): readonly string[] {
  const targets = catalogue.connections.flatMap((one) => one.provider.models.map((model) => `${one.id}/${model.id}`));
  return [...Object.keys(catalogue.routes), ...targets];
}

export function modelOf(target: string, catalogue: Catalogue): Model | undefined {
  const { provider, model } = splitTarget(target);
  return model === '' ? undefined : catalogue.connections.find((one) => one.id === provider)?.provider.model(model);
}

export function unknownModel(name: string, catalogue: Catalogue): Failure {
  const near = nearMatches(name, modelNames(catalogue));
  const hint =
    near.length > 0 ? `did you mean ${near.map((one) => `"${one}"`).join(' or ')}?` : 'GET /v1/models lists them';
  const message = `model: no provider or route here answers to "${name.slice(0, 200)}"; ${hint}`;
  return { kind: 'not_found', certainty: 'not_sent', message, param: 'model' };
}

/** Why a name is for chat alone: its provider is, or the model; undefined where nothing says so. */
function chatFailure(name: string, { connections }: Catalogue): Failure | undefined {
  const { provider, model } = splitTarget(name);
  const named = connections.find((one) => one.id === provider);
  const knows = (one: Connection, id: string) => one.provider.chat?.models.some((known) => known.id === id) === true;
  const draws = named === undefined || named.provider.image !== undefined;
  const isKnown = named ? knows(named, model) : connections.some((one) => knows(one, name));
  if (draws && !isKnown && !isChatModel(name)) return undefined;
  const message = draws ? chatModelReason(name) : drawsNothing(named.id);
  return { kind: 'capability', certainty: 'not_sent', message, param: 'model', code: 'capability_missing' };
}

/** What is said of a provider that is for chat alone. */
export function drawsNothing(provider: string): string {
  return `model: ${provider} makes no pictures, it is for chat: send it to /v1/chat/completions, or choose one of GET /v1/models`;
}

function retired({ name, retiredOn, successor }: Retirement, wayOut: string): Failure {
  const message = `model: ${name} was retired on ${retiredOn}; its successor is ${successor}; ${wayOut}`;
  return { kind: 'retired', certainty: 'not_sent', message, param: 'model' };
}
