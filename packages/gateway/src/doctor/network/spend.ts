import { isObject, type Model, parseJson, picturesAheadMicroUsd } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorResponse, DoctorWorld, GatewayFacts } from '../world.ts';
import { hostsOf } from './hosts.ts';

/** A picture that would be paid for. */
export interface PaidTest {
  /** `provider/model`. */
  readonly target: string;
  readonly size?: string;
  readonly quality?: string;
  /** What it costs by our tables; undefined where nobody knows. */
  readonly usd?: number;
}

/** As plain as can be, so that what fails is the system and not the prompt. */
const PROMPT = 'A red circle on a white background';
const TIMEOUT_MS = 180_000;

/** The cheapest picture at each configured provider, to be told and agreed to before the check may run. */
export function paidTests(world: DoctorWorld): readonly PaidTest[] {
  const ids = [...new Set(hostsOf(world).map(({ id }) => id))];
  return ids.flatMap((id) => {
    const provider = world.catalogue?.connections.find((one) => one.id === id)?.provider;
    if (provider?.image === undefined) return [];
    const wanted = configuredModels(id, world).flatMap((name) => provider.model(name) ?? []);
    const known = wanted.length > 0 ? wanted : provider.models;
    const tests = known.filter(({ operations }) => operations.includes('generate')).map((model) => testOf(id, model));
    const [cheapest] = tests.toSorted((one, other) => (one.usd ?? Infinity) - (other.usd ?? Infinity));
    return cheapest === undefined ? [] : [cheapest];
  });
}

function configuredModels(id: string, { config }: DoctorWorld): readonly string[] {
  if (!config.ok) return [];
  const { routes, defaultModel } = config.config;
  const targets = [...Object.values(routes).flatMap((route) => route.targets), defaultModel ?? ''];
  return targets.filter((target) => target.startsWith(`${id}/`)).map((target) => target.slice(id.length + 1));
}

function testOf(id: string, { id: model, capabilities, price }: Model): PaidTest {
  const quality = capabilities?.quality?.includes('low') ? 'low' : undefined;
  const size = smallestOf(capabilities);
  const asked = { ...(size !== undefined && { size }), ...(quality !== undefined && { quality }) };
  const microUsd = price && picturesAheadMicroUsd(price, { prompt: PROMPT, ...asked }, 1);
  return { target: `${id}/${model}`, ...asked, ...(microUsd !== undefined && { usd: microUsd / 1e6 }) };
}

/** Of those it lists; else what the model does by itself, which no rule of sizes can refuse. */
function smallestOf(capabilities: Model['capabilities']): string | undefined {
  if (capabilities?.size.kind !== 'list') return undefined;
  const pixels = (size: string) => size.split('x').reduce((product, side) => product * Number(side), 1);
  return capabilities.size.sizes.filter((size) => /^\d+x\d+$/.test(size)).toSorted((a, b) => pixels(a) - pixels(b))[0];
}

/** One plain picture at each provider through the running gateway: whether it is the prompt or the system. */
export const SPEND: Check = {
  id: 'spend',
  title: 'paid pictures',
  needs: 'asked',
  async run(world) {
    const { gateway, options } = world;
    if (options.spend !== true) return [];
    if (gateway === undefined)
      return [{ id: 'spend.not-running', level: 'skipped', message: 'no gateway runs to make it: onetake start' }];
    const tests = paidTests(world);
    if (tests.length === 0)
      return [{ id: 'spend.nobody', level: 'skipped', message: 'no provider is configured that makes pictures' }];
    return Promise.all(tests.map((one) => makeOne(one, gateway, world)));
  },
};

async function makeOne(
  { target, size, quality }: PaidTest,
  { url, headers }: GatewayFacts,
  world: DoctorWorld,
): Promise<Finding> {
  const request = { model: target, prompt: PROMPT, n: 1, ...(size && { size }), ...(quality && { quality }) };
  const answer = await world.io.fetch({
    url: `${url}/v1/images/generations`,
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      ...{ 'x-onetake-cache': 'off', 'x-onetake-attach': 'off', 'x-onetake-fallback': 'off' },
      'x-onetake-max-paid-attempts': '1',
    },
    body: JSON.stringify(request),
    timeoutMs: TIMEOUT_MS,
  });
  if (!answer.ok)
    return {
      id: 'spend.no-answer',
      level: 'broken',
      subject: target,
      message: `no answer came from the gateway (${answer.code}); the picture may be made and billed`,
      advice: 'Look it up before you try again: onetake generations lists it.',
    };
  if (answer.value.status === 200) return made(target, answer.value);
  return refused(target, answer.value);
}

function made(subject: string, { ms, headers }: DoctorResponse): Finding {
  const generation = headers['x-onetake-generation'];
  return {
    id: 'spend.made',
    level: 'ok',
    subject,
    message: `${subject} made a plain picture in ${(ms / 1_000).toFixed(1)} s: where others fail it is their prompt or their settings`,
    facts: { ms, ...(generation !== undefined && { generation }) },
  };
}

function refused(subject: string, { status, text }: DoctorResponse): Finding {
  const body = parseJson(text);
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  const told = isObject(body) && isObject(body.onetake) ? body.onetake : {};
  const word = (value: unknown) => (typeof value === 'string' ? value.replaceAll(/\s+/g, ' ').slice(0, 300) : '');
  const billed = word(told.billed);
  return {
    id: 'spend.failed',
    level: 'broken',
    subject,
    message: `${subject} failed at a plain picture too, so it is not the prompt: ${status} ${word(error.code)}: ${word(error.message)}${billed === '' ? '' : ` (billed: ${billed})`}`,
    advice: word(told.advice) || 'onetake explain tells what the code means and who must act.',
  };
}
