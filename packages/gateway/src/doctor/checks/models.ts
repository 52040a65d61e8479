import { splitTarget } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { fine, isAskedFor, listed, unread } from './found.ts';
import { type End, endOf } from './targets.ts';

const WARN_DAYS = 90;

/** Models that stop working, of those that are configured, routed to or were used. */
export const MODELS: Check = {
  id: 'models',
  title: 'models',
  async run(world) {
    const { catalogue } = world;
    if (catalogue === undefined) return unread('models');
    const named = namedTargets(world);
    const found = [...named].flatMap(([target, where]) => {
      const end = endOf(target, world);
      return end === undefined || end.days > WARN_DAYS ? [] : [retiring({ target, where, end }, world)];
    });
    const rest = catalogue.connections
      .flatMap((one) => one.provider.models.map(({ id }) => `${one.id}/${id}`))
      .filter((target) => !named.has(target) && isAskedFor(world, splitTarget(target).provider))
      .filter((target) => (endOf(target, world)?.days ?? WARN_DAYS + 1) <= WARN_DAYS);
    const unused =
      rest.length === 0 ? [] : [fine('models.unused', `nothing here names those that retire: ${listed(rest)}`)];
    if (found.length > 0) return [...found, ...unused];
    return [fine('models.stay', `no model in use retires within ${WARN_DAYS} days`), ...unused];
  },
};

interface Retiring {
  readonly target: string;
  /** What names it, such as `routes.best`. */
  readonly where: readonly string[];
  readonly end: End;
}

/** Every target that something names, with what does. */
function namedTargets(world: DoctorWorld): ReadonlyMap<string, readonly string[]> {
  const { config, catalogue, gateway } = world;
  const named = new Map<string, readonly string[]>();
  const add = (name: string | undefined, where: string) => {
    const target = name === undefined ? undefined : fullName(name, world);
    if (target === undefined || !isAskedFor(world, splitTarget(target).provider)) return;
    named.set(target, [...(named.get(target) ?? []), ...(where === '' ? [] : [where])]);
  };
  for (const [name, route] of Object.entries(catalogue?.routes ?? {}))
    for (const target of route.targets) add(target, `routes.${name}`);
  add(catalogue?.defaultModel, 'default_model');
  if (config.ok) {
    const { defaultChatModel, chat, models, chatModels, limits } = config.config;
    add(defaultChatModel, 'default_chat_model');
    add(chat.rewriteModel, 'chat.rewrite_model');
    add(chat.judgeModel, 'chat.judge_model');
    for (const overrides of [models, chatModels])
      for (const [provider, known] of Object.entries(overrides))
        for (const model of Object.keys(known)) add(`${provider}/${model}`, `models.${provider}/${model}`);
    for (const target of Object.keys(limits)) if (!target.endsWith('*')) add(target, `limits.${target}`);
  }
  for (const { group, requests } of gateway?.use ?? []) if (requests > 0) add(group.model, '');
  return named;
}

/** `provider/model`, of a bare name by the first that lists it; undefined for a route, whose targets are named anyway. */
function fullName(name: string, { catalogue }: DoctorWorld): string | undefined {
  if (catalogue === undefined || Object.hasOwn(catalogue.routes, name)) return undefined;
  const { connections } = catalogue;
  if (connections.some(({ id }) => id === splitTarget(name).provider)) return name;
  const owner = connections.find(({ provider }) => provider.models.some(({ id }) => id === name));
  return owner ? `${owner.id}/${name}` : name.includes('/') ? name : undefined;
}

function retiring({ target, where, end }: Retiring, world: DoctorWorld): Finding {
  const { model, provider } = splitTarget(target);
  const isGone = end.days <= 0;
  const days = end.days === 1 ? '1 day' : `${end.days} days`;
  const when = isGone ? `${model} was shut down on ${end.on}` : `${model} shuts down ${end.on} (${days})`;
  const successor = end.successor === undefined ? 'No successor is known.' : `Successor ${end.successor}.`;
  const use = usedText(target, world);
  const by = where.length === 0 ? '' : ` Named by ${listed([...new Set(where)])}.`;
  const instead = end.successor === undefined ? 'another model' : `${provider}/${end.successor}`;
  const places = where.length === 0 ? 'Have its callers ask for' : `In ${listed([...new Set(where)])} put`;
  return {
    id: isGone ? 'models.gone' : 'models.retiring',
    level: isGone && (end.successor === undefined || where.length > 0) ? 'broken' : 'warning',
    subject: target,
    message: `${when}. ${successor}${use === '' ? '' : ` ${use}`}${by}`,
    advice: `${places} ${instead}${isGone ? ' now' : ` before ${end.on}`}.`,
    ...(end.successor !== undefined && { fix: fixText(target, where, instead, world) }),
    facts: {
      target,
      shutdown_date: end.on,
      days: end.days,
      successor: end.successor ?? null,
      used: usedTimes(target, world),
    },
  };
}

/** The first line that names it, with what comes after it; a route of its name where only callers do. */
function fixText(target: string, [first]: readonly string[], instead: string, { catalogue }: DoctorWorld): string {
  const name = first?.startsWith('routes.') ? first.slice('routes.'.length) : undefined;
  const route = name === undefined ? undefined : catalogue?.routes[name];
  if (name !== undefined && route !== undefined) {
    const targets = [...new Set(route.targets.map((one) => (one === target ? instead : one)))];
    return `routes:\n  ${name}: [${targets.join(', ')}]`;
  }
  if (first !== undefined && /^[a-z_]+$/.test(first)) return `${first}: ${instead}`;
  return `routes:\n  ${splitTarget(target).model}: [${instead}]   # until every caller asks for it`;
}

function rowsOf(target: string, { gateway }: DoctorWorld) {
  return (gateway?.use ?? []).filter(({ group, requests }) => group.model === target && requests > 0);
}

function usedTimes(target: string, world: DoctorWorld): number | null {
  return world.gateway?.use === undefined ? null : rowsOf(target, world).reduce((sum, row) => sum + row.requests, 0);
}

function usedText(target: string, world: DoctorWorld): string {
  const times = usedTimes(target, world);
  if (times === null) return '';
  if (times === 0) return 'Not used in 7 days.';
  const keys = [...new Set(rowsOf(target, world).flatMap(({ group }) => (group.key === undefined ? [] : [group.key])))];
  const by = keys.length === 0 ? '' : ` by ${keys.length === 1 ? 'key' : 'keys'} ${listed(keys)}`;
  return `Used ${times} ${times === 1 ? 'time' : 'times'} in 7 days${by}.`;
}
