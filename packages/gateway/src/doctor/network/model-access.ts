import { nearMatches, splitTarget } from '@onetake/core';
import type { Config } from '../../config.ts';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { askFree } from './ask-provider.ts';
import { type Call, hostsOf, type ProviderHost } from './hosts.ts';

/** Those whose list holds every model they take, by the names that requests use. */
const COMPLETE_LISTS: readonly string[] = ['openai', 'openai-responses', 'google', 'ollama', 'vllm', 'lmstudio'];
/** Those that tell of one model by its id. */
const TELL_OF_ONE: readonly string[] = ['openai', 'openai-responses'];
const MAX_MODELS = 50;
const VERIFIED_ONLY = /^gpt-image|^o\d/;

/** What is configured against what each provider lists for each key. */
export const MODEL_ACCESS: Check = {
  id: 'model-access',
  title: 'model access',
  needs: 'network',
  async run(world) {
    const { config } = world;
    if (!config.ok) return [];
    const hosts = hostsOf(world).filter(({ kind }) => COMPLETE_LISTS.includes(kind));
    const looks = hosts.flatMap((host) => {
      const wanted = wantedOf(host.id, config.config);
      return wanted.length === 0 ? [] : host.calls.map((call) => lookAtModels(host, call, wanted, world));
    });
    return (await Promise.all(looks)).flat();
  },
};

/** Every model of a provider that the configuration names. */
function wantedOf(provider: string, { routes, defaultModel, defaultChatModel }: Config): readonly string[] {
  const defaults = [defaultModel, defaultChatModel].filter((name) => name !== undefined);
  const targets = [...Object.values(routes).flatMap((route) => route.targets), ...defaults].map(splitTarget);
  const own = targets.filter((target) => target.provider === provider && target.model !== '');
  return [...new Set(own.map(({ model }) => model))].slice(0, MAX_MODELS);
}

async function lookAtModels(
  host: ProviderHost,
  call: Call,
  wanted: readonly string[],
  world: DoctorWorld,
): Promise<readonly Finding[]> {
  const { subject, connection } = call;
  const answer = await askFree(world, connection, host.kind);
  const listed = new Set(answer?.models.map(({ id }) => id.replace(/^models\//, '')));
  // An empty list is no list: some servers have the path and nothing behind it.
  if (listed.size === 0)
    return [{ id: 'model-access.unlisted', level: 'skipped', subject, message: `${subject} listed no models` }];
  const missing = wanted.filter((model) => !listed.has(model) && !listed.has(`${model}:latest`));
  const found = await Promise.all(missing.map((model) => lookAtModel(host, call, model, listed, world)));
  const ok: Finding = {
    id: 'model-access.listed',
    level: 'ok',
    subject,
    message: `${subject} lists what is named here: ${wanted.join(', ')}`,
  };
  return missing.length === 0 ? [ok] : found;
}

async function lookAtModel(
  host: ProviderHost,
  { subject, connection }: Call,
  model: string,
  listed: ReadonlySet<string>,
  world: DoctorWorld,
): Promise<Finding> {
  const target = `${host.id}/${model}`;
  const at = subject === host.id ? target : `${target} (${subject})`;
  if (TELL_OF_ONE.includes(host.kind)) {
    const url = `${connection.baseUrl}/models/${encodeURIComponent(model)}`;
    const { headers } = connection.provider.authorize(
      { method: 'GET', url, headers: { accept: 'application/json' } },
      { id: connection.id, secret: connection.secret },
    );
    const answer = await world.io.fetch({ url, headers });
    if (answer.ok && answer.value.status === 200)
      return {
        id: 'model-access.permitted',
        level: 'ok',
        subject: at,
        message: `${model} is not in the list of ${subject}, and the key may use it`,
      };
    if (answer.ok && answer.value.status === 403) return notPermitted(at, model);
  }
  const near = nearMatches(model, [...listed]);
  const meant = near.length > 0 ? ` Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?` : '';
  return {
    id: 'model-access.not-listed',
    level: 'warning',
    subject: at,
    message: `${host.subject} lists ${listed.size} models for this key, and ${model} is not among them.${meant}`,
    advice: adviceFor(host, model),
  };
}

function adviceFor({ kind }: ProviderHost, model: string): string {
  if (kind === 'ollama') return 'Fetch it with ollama pull, or correct the name in the configuration.';
  if (TELL_OF_ONE.includes(kind) && VERIFIED_ONLY.test(model))
    return 'Correct the name; if it is right, the organisation is not verified or its project is not allowed the model: see Settings, Organization, General and the project’s Limits in OpenAI’s console.';
  return 'Correct the name in the configuration, or get access to the model in the provider’s console.';
}

function notPermitted(subject: string, model: string): Finding {
  return {
    id: 'model-access.not-permitted',
    level: 'broken',
    subject,
    message: `the key may not use ${model} (403)`,
    advice:
      'The account’s owner has to allow it: verify the organisation (Settings, Organization, General) or let the project use the model (project, Limits, Model usage).',
    link: 'https://platform.openai.com/settings/organization/general',
  };
}
