import {
  isChatModel,
  type Ladder,
  nearMatches,
  openaiCompatible,
  type PolicySettings,
  type Route,
  retirementOf,
  splitTarget,
} from '@onetake/core';
import type { ModelOverrides } from './models.ts';
import { mayChat, protocolOf, WELL_KNOWN } from './protocols.ts';
import type { ProviderConfig } from './providers.ts';
import { didYouMean, fault, type Report } from './report.ts';
import type { ConfigFile, RouteEntry } from './schema.ts';

/** Who can stand before the slash of a target. */
interface Known extends ModelOverrides {
  readonly providers: readonly ProviderConfig[];
}

/** Turns the file's routes into the engine's, and checks that every target can be reached. */
export function readRoutes(file: ConfigFile, known: Known, report: Report): Record<string, Route> {
  // Without a prototype no request can name a "route" such as `constructor`.
  const routes: Record<string, Route> = Object.create(null);
  for (const [name, entry] of Object.entries(file.routes)) {
    for (const [index, target] of entry.targets.entries()) {
      const wrong = checkTarget(`routes.${name}.targets.${index}`, target, known, file.sandbox);
      if (wrong !== undefined) report.faults.push(wrong);
    }
    const policy = policyOf(entry, file.chat);
    routes[name] = { targets: entry.targets, ...(Object.keys(policy).length > 0 && { policy }) };
  }
  return routes;
}

function checkTarget(path: string, target: string, known: Known, sandbox: boolean): string | undefined {
  const { providers, models, chatModels } = known;
  const { provider: id, model } = splitTarget(target);
  if (id === '' || model === '') return fault(path, 'provider/model', target);
  if ((id === 'sandbox' || id === 'sandbox-task') && sandbox) return undefined;
  const provider = providers.find((one) => one.id === id);
  if (provider === undefined) {
    const ids = [...providers.map((one) => one.id), ...(sandbox ? ['sandbox'] : [])];
    const hint = howToAdd(id) ?? didYouMean(nearMatches(id, ids));
    const expected =
      ids.length > 0 ? `a configured provider (${ids.join(', ')})` : 'a configured provider, and there is none';
    return fault(path, expected, target, hint ?? `add providers.${id}`);
  }
  const protocol = protocolOf(provider.kind, provider.workflows);
  const isTold = Object.hasOwn(models[id] ?? {}, model) || Object.hasOwn(chatModels[id] ?? {}, model);
  if (isTold || protocol === undefined || mayChat(protocol, model)) return undefined;
  const listed = protocol.models.map((one) => `${id}/${one.id}`);
  if (listed.length > 0 && !listed.includes(target) && isChatModel(model)) {
    return fault(path, 'a model that makes pictures', target, 'that is a chat model; GET /v1/models lists others');
  }
  if (protocol.model(model) !== undefined) return undefined;
  const hint = successorOf(id, model) ?? didYouMean(nearMatches(target, listed)) ?? 'GET /v1/models lists them';
  return fault(path, `a model of ${id}`, target, hint);
}

/** A route names what serves: only a caller's request is led from a retired name to its successor. */
function successorOf(provider: string, model: string): string | undefined {
  const retirement = retirementOf(model);
  return retirement && `${model} was retired on ${retirement.retiredOn}: use ${provider}/${retirement.successor}`;
}

/** What a provider that is known here lacks to be configured. */
function howToAdd(id: string): string | undefined {
  const {
    keyVariables = [],
    baseUrlVariables = [],
    baseUrl,
    keyless,
  } = WELL_KNOWN.find((provider) => provider.id === id)?.access ?? {};
  if (keyless && baseUrl !== undefined)
    return `${id} is not configured: set ${baseUrlVariables[0]}, or add providers.${id}`;
  if (keyVariables.length > 0 && baseUrl !== undefined) return `${id} has no key: set ${keyVariables.join(' or ')}`;
  const isKnown = WELL_KNOWN.some((provider) => provider.id === id);
  return isKnown ? `${id} has no address: set providers.${id}.base_url` : undefined;
}

function policyOf(entry: RouteEntry, chat: ConfigFile['chat']): PolicySettings {
  return {
    ...(entry.payment !== undefined && { payment: entry.payment }),
    ...(entry.max_paid_attempts !== undefined && { maxPaidAttempts: entry.max_paid_attempts }),
    ...(entry.fallback !== undefined && { fallback: entry.fallback }),
    ...(entry.strict !== undefined && { strict: entry.strict }),
    ...(entry.prompt_rules !== undefined && { promptRules: entry.prompt_rules }),
    ...(entry.refusals !== undefined && { refusals: ladderOf(entry.refusals, chat) }),
    ...(entry.suspect !== undefined && { suspect: entry.suspect }),
    ...(entry.output_mismatch !== undefined && { outputMismatch: entry.output_mismatch }),
    ...(entry.total_timeout_ms !== undefined && { totalTimeoutMs: entry.total_timeout_ms }),
    ...(entry.first_byte_timeout_ms !== undefined && { firstByteTimeoutMs: entry.first_byte_timeout_ms }),
    ...(entry.stall_timeout_ms !== undefined && { stallTimeoutMs: entry.stall_timeout_ms }),
    ...(entry.idle_timeout_ms !== undefined && { idleTimeoutMs: entry.idle_timeout_ms }),
    ...(entry.connect_timeout_ms !== undefined && { connectTimeoutMs: entry.connect_timeout_ms }),
    ...(entry.harvest_ms !== undefined && { harvestMs: entry.harvest_ms }),
  };
}

function ladderOf(
  { ladder, max_rungs, max_paid }: NonNullable<RouteEntry['refusals']>,
  { rewrite_model: rewriter }: ConfigFile['chat'],
): Ladder {
  const asked = rewriter !== undefined && ladder.includes('rewrite') ? { rewriter } : {};
  return { rungs: ladder, maxRungs: max_rungs, maxPaid: max_paid, ...asked };
}

/** Defaults that nobody answers to would fail every request that names no model. */
export function checkDefaultModels(file: ConfigFile, known: Known, report: Report): void {
  checkDefaultModel(file, known, report);
  checkDefaultChatModel(file, known, report);
}

function checkDefaultModel(file: ConfigFile, known: Known, report: Report): void {
  const name = file.default_model;
  const { providers } = known;
  const draws = providers.some(({ kind }) => protocolOf(kind)?.chat === undefined || protocolOf(kind)?.image);
  // With no provider of pictures at all the sandbox plays every name.
  if (name === undefined || Object.hasOwn(file.routes, name) || (!draws && file.sandbox)) return;
  const listed = providers.flatMap((one) => protocolOf(one.kind, one.workflows)?.models.map((model) => model.id) ?? []);
  if (listed.includes(name) || checkTarget('default_model', name, known, file.sandbox) === undefined) return;
  const hint = didYouMean(nearMatches(name, [...Object.keys(file.routes), ...listed]));
  report.faults.push(fault('default_model', 'a route, a listed model or provider/model', name, hint));
}

function checkDefaultChatModel(file: ConfigFile, known: Known, report: Report): void {
  const name = file.default_chat_model;
  const { providers, chatModels } = known;
  const chats = providers.flatMap(({ kind }) => protocolOf(kind)?.chat ?? []);
  if (name === undefined || Object.hasOwn(file.routes, name) || (chats.length === 0 && file.sandbox)) return;
  const { provider: id, model } = splitTarget(name);
  const named = providers.find((one) => one.id === id);
  if (id === 'sandbox' && file.sandbox) return;
  const told = Object.entries(chatModels).flatMap(([of, models]) => Object.keys(models).map((one) => [of, one]));
  const isTold = told.some(([of, one]) => (named ? of === id && one === model : one === name));
  const asked = named ? [named] : providers;
  const mayServe = asked.some(({ kind }) => mayChat(protocolOf(kind) ?? openaiCompatible, named ? model : name));
  if (isTold || mayServe) return;
  const listed = chats.flatMap(({ models }) => models.map((one) => one.id));
  const hint = didYouMean(nearMatches(name, [...Object.keys(file.routes), ...listed]));
  report.faults.push(fault('default_chat_model', 'a route, a model for chat or provider/model', name, hint));
}
