import { imageModelReason, isImageModel } from '../chat-models.ts';
import type { Connection } from '../environment.ts';
import type { Failure } from '../failure.ts';
import { type Catalogue, type Route, splitTarget } from '../model-names.ts';
import { nearMatches } from '../near-matches.ts';
import type { ChatModel } from '../providers/provider.ts';

/**
 * What a name of a chat model means: a configured route; `provider/model` split at the first slash; else, of a bare
 * name, the first provider that knows the model, that owns such names, or whose own list has it; else, with no other
 * provider of chat, the understudy; else the one provider that takes any name, where there is just one.
 */
export function resolveChat(name: string, catalogue: Catalogue): Route | Failure {
  const route = Object.hasOwn(catalogue.routes, name) ? catalogue.routes[name] : undefined;
  if (route) return route;
  const target = chatTarget(name, catalogue);
  if (target !== undefined) return { targets: [target] };
  return isDrawn(name, catalogue) ? notForChat(name) : unknownChatModel(name, catalogue);
}

/** The one target that a name stands for; undefined for a route and for a name that nobody answers to. */
export function chatTarget(name: string, catalogue: Catalogue): string | undefined {
  const { provider, model } = splitTarget(name);
  const named = catalogue.connections.find((one) => one.id === provider);
  if (named) return model === '' ? undefined : name;
  const connections = catalogue.connections.filter((one) => one.provider.chat !== undefined);
  const knows = connections.find((one) => knownModel(one, name));
  if (knows) return `${knows.id}/${name}`;
  if (isDrawn(name, catalogue)) return undefined;
  const lists =
    connections.find((one) => one.provider.chat?.owns?.test(name)) ??
    connections.find((one) => catalogue.lists?.(one.id, name));
  if (lists) return `${lists.id}/${name}`;
  const { understudy } = catalogue;
  const own = connections.filter((one) => one.id !== understudy && one.provider.id !== understudy);
  if (understudy !== undefined && own.length === 0) return `${understudy}/${model}`;
  const [any, ...others] = own.filter((one) => one.provider.chat?.takesAny);
  return any && others.length === 0 ? `${any.id}/${name}` : undefined;
}

/** What is known of a target's model for chat. */
export function chatModelOf(target: string, catalogue: Pick<Catalogue, 'connections'>): ChatModel | undefined {
  const { provider, model } = splitTarget(target);
  const connection = catalogue.connections.find((one) => one.id === provider);
  return connection && knownModel(connection, model);
}

/** The facts that a provider's data holds about a model for chat; undefined for one it does not list. */
export function knownModel({ provider }: Connection, model: string): ChatModel | undefined {
  return provider.chat?.models.find(({ id }) => id === model);
}

/** Every name that is known to be for chat, routes first, for listings and near matches. */
export function chatModelNames({ connections, routes }: Catalogue): readonly string[] {
  const known = connections.flatMap((one) => one.provider.chat?.models.map((model) => `${one.id}/${model.id}`) ?? []);
  return [...Object.keys(routes), ...known];
}

/** A model that some provider here lists for its pictures, or that has the name of one. */
function isDrawn(name: string, { connections }: Catalogue): boolean {
  return isImageModel(name) || connections.some((one) => one.provider.models.some(({ id }) => id === name));
}

function notForChat(name: string): Failure {
  const message = imageModelReason(name);
  return { kind: 'capability', certainty: 'not_sent', message, param: 'model', code: 'capability_missing' };
}

export function unknownChatModel(name: string, catalogue: Catalogue): Failure {
  const near = nearMatches(name, chatModelNames(catalogue));
  const hint =
    near.length > 0
      ? `did you mean ${near.map((one) => `"${one}"`).join(' or ')}?`
      : 'GET /v1/models lists those that are known; others are asked for as provider/model';
  const message = `model: no provider or route here answers to "${name.slice(0, 200)}"; ${hint}`;
  return { kind: 'not_found', certainty: 'not_sent', message, param: 'model' };
}
