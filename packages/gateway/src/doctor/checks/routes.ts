import { type Catalogue, type Route, splitTarget } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { fine, isAskedFor, listed, unread } from './found.ts';
import { type Ability, abilitiesOf, endOf } from './targets.ts';

/** Whether every route leads somewhere, and every fallback helps. */
export const ROUTES: Check = {
  id: 'routes',
  title: 'routes',
  async run(world) {
    const { catalogue, config } = world;
    if (catalogue === undefined || !config.ok) return unread('routes');
    const routes = Object.entries(catalogue.routes).filter(([, { targets }]) =>
      targets.some((target) => isAskedFor(world, splitTarget(target).provider)),
    );
    const found = routes.flatMap(([name, route]) => routeFindings(name, route, catalogue, world));
    const defaults = defaultFindings(catalogue, world);
    const count = routes.length === 1 ? 'the route leads' : `all ${routes.length} routes lead`;
    const isWell = ![...found, ...defaults].some(({ level }) => level !== 'ok');
    return [...defaults, ...found, ...(isWell && routes.length > 0 ? [fine('routes.lead', `${count} somewhere`)] : [])];
  },
};

interface Judged {
  readonly target: string;
  readonly abilities: readonly Ability[];
  /** Why nothing can be sent to it. */
  readonly dead?: string;
}

function routeFindings(name: string, route: Route, catalogue: Catalogue, world: DoctorWorld): readonly Finding[] {
  const judged = route.targets.map((target) => judge(target, catalogue, world));
  const alive = judged.filter(({ dead }) => dead === undefined);
  const reasons = judged.flatMap(({ target, dead }) => (dead === undefined ? [] : [`${target} ${dead}`]));
  const at = `routes.${name}`;
  if (alive.length === 0) {
    const message = `${at} leads nowhere: ${listed(reasons)}`;
    const advice = `Give ${at} a target that serves, from GET /v1/models; until then every request for "${name}" fails.`;
    return [{ id: 'routes.unreachable', level: 'broken', subject: name, message, advice }];
  }
  return [
    ...reasons.map((reason) => warning('dead-target', name, `${at}: ${reason}`, REMOVE)),
    ...duplicates(name, route),
    ...unused(name, route),
    ...helpless(name, alive),
    ...shadows(name, route, catalogue, world),
  ];
}

const REMOVE = 'Remove the target, or put one there that serves: it is no fallback.';

function judge(target: string, catalogue: Catalogue, world: DoctorWorld): Judged {
  const end = endOf(target, world);
  const abilities = abilitiesOf(target, catalogue);
  if (end && end.days <= 0) {
    const instead = end.successor === undefined ? '' : `, its successor is ${end.successor}`;
    return { target, abilities, dead: `was shut down on ${end.on}${instead}` };
  }
  return { target, abilities, ...(abilities.length === 0 && { dead: 'can be sent nothing' }) };
}

function duplicates(name: string, { targets }: Route): readonly Finding[] {
  const twice = [...new Set(targets.filter((target, index) => targets.indexOf(target) !== index))];
  return twice.map((target) =>
    warning(
      'duplicate-target',
      name,
      `routes.${name} names ${target} more than once`,
      'Remove all but the first: the same target is no fallback for itself, and repeats are made anyway.',
    ),
  );
}

function unused(name: string, { targets, policy }: Route): readonly Finding[] {
  if (policy?.fallback !== false || targets.length < 2) return [];
  const message = `routes.${name} says fallback: off, so ${listed(targets.slice(1))} ${targets.length === 2 ? 'is' : 'are'} never asked`;
  return [warning('fallback-off', name, message, 'Set fallback: on, or remove the targets after the first.')];
}

/** Fallbacks that can do nothing of what the first target does; what they lack of it is told without alarm. */
function helpless(name: string, [first, ...others]: readonly Judged[]): readonly Finding[] {
  if (first === undefined) return [];
  return others.flatMap(({ target, abilities }): readonly Finding[] => {
    const lacks = first.abilities.filter((one) => !abilities.includes(one));
    if (lacks.length === 0) return [];
    const cannot = lacks.join(' or ');
    if (lacks.length < first.abilities.length)
      return [
        fine(
          'routes.partial-fallback',
          `routes.${name}: ${target} does not ${cannot}, so that falls back past it`,
          name,
        ),
      ];
    const message = `routes.${name}: ${target} cannot ${cannot}, which is what ${first.target} is for`;
    return [warning('dead-fallback', name, message, 'Put a target there that can do the same, or remove it.')];
  });
}

/** A route by the name of a model stands before it: what is meant where the model ends. */
function shadows(
  name: string,
  { targets }: Route,
  { connections, understudy }: Catalogue,
  world: DoctorWorld,
): readonly Finding[] {
  const owner = connections.find(
    ({ id, provider }) =>
      id !== understudy && !id.startsWith('sandbox') && provider.models.some((model) => model.id === name),
  );
  const own = owner && `${owner.id}/${name}`;
  if (own === undefined || targets.includes(own) || endOf(own, world) !== undefined) return [];
  const message = `routes.${name} has the name of ${own} and does not lead to it, but to ${targets[0]}`;
  const advice = `Give the route another name, or leave it so if that is meant: the model itself is ${own}.`;
  return [warning('shadows-model', name, message, advice)];
}

function defaultFindings(catalogue: Catalogue, world: DoctorWorld): readonly Finding[] {
  const { providers, sandbox } = world.config.ok ? world.config.config : { providers: [], sandbox: true };
  if (providers.length === 0)
    return [sandbox ? fine('routes.sandbox', 'no provider has a key: the sandbox plays every model') : NOTHING];
  const { defaultModel: name } = catalogue;
  if (name === undefined || Object.hasOwn(catalogue.routes, name)) return [];
  const dead = judge(name, catalogue, world).dead;
  if (dead === undefined) return [fine('routes.default-model', `requests that name no model go to ${name}`)];
  const message = `default_model: ${name} ${dead}, so every request that names no model fails`;
  const advice = 'Set default_model to a route or a model that serves; GET /v1/models lists them.';
  return [{ id: 'routes.default-model', level: 'broken', subject: name, message, advice }];
}

const NOTHING: Finding = {
  id: 'routes.nothing',
  level: 'broken',
  message: 'no provider is configured and the sandbox is off: nothing can serve',
  advice: 'Set OPENAI_API_KEY, or the key of another provider, or sandbox: on.',
  fix: 'export OPENAI_API_KEY=…',
};

function warning(id: string, name: string, message: string, advice: string): Finding {
  return { id: `routes.${id}`, level: 'warning', subject: name, message, advice };
}
