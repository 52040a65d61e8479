import { isObject, type JsonObject, type JsonValue, parseJson } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { askFree } from './ask-provider.ts';
import { hostsOf, isLocalKind, type ProviderHost } from './hosts.ts';

interface Kind {
  readonly name: string;
  /** How it is usually started. */
  readonly start: string;
  /** From the address without its `/v1`: answers fast, and says whether there is anything to make pictures with. */
  readonly path: string;
  readonly look: (body: JsonValue | undefined, host: ProviderHost) => Finding | undefined;
}

const GIB = 1024 ** 3;
/** Less than the smallest of the usual models needs for a picture. */
const LITTLE_MEMORY = 2 * GIB;

/** Addresses: ComfyUI server.py, AUTOMATIC1111 api.py, ollama routes.go, and OpenAI's list of models elsewhere. */
const KINDS: Readonly<Record<string, Kind>> = {
  comfyui: { name: 'ComfyUI', start: 'python main.py --listen', path: '/system_stats', look: gpuMemory },
  automatic1111: {
    ...{ name: 'the Stable Diffusion web UI', start: './webui.sh --api', path: '/sdapi/v1/sd-models' },
    look: (body, host) =>
      emptyList(Array.isArray(body) ? body : undefined, host, 'put one into models/Stable-diffusion'),
  },
  ollama: {
    ...{ name: 'Ollama', start: 'ollama serve', path: '/api/tags' },
    look: (body, host) => emptyList(listAt(body, 'models'), host, 'fetch one: ollama pull llama3.2'),
  },
  lmstudio: {
    ...{ name: 'LM Studio', start: 'lms server start', path: '/v1/models' },
    look: (body, host) => emptyList(listAt(body, 'data'), host, 'load one: lms load'),
  },
  vllm: {
    ...{ name: 'vLLM', start: 'vllm serve <model>', path: '/v1/models' },
    look: (body, host) => emptyList(listAt(body, 'data'), host, 'name one: vllm serve <model>'),
  },
  localai: {
    ...{ name: 'LocalAI', start: 'local-ai run', path: '/v1/models' },
    look: (body, host) => emptyList(listAt(body, 'data'), host, 'install one: local-ai models install <name>'),
  },
  'stable-diffusion-cpp': {
    ...{ name: 'stable-diffusion.cpp', start: 'sd-server --listen-ip 127.0.0.1', path: '/v1/models' },
    look: () => undefined,
  },
};

/** Servers that people run themselves: whether they run, have a model, and have memory left. */
export const LOCAL: Check = {
  id: 'local',
  title: 'own servers',
  needs: 'network',
  async run(world) {
    const hosts = hostsOf(world).filter(({ kind }) => isLocalKind(kind));
    return (await Promise.all(hosts.map((host) => lookAtServer(host, world)))).flat();
  },
};

async function lookAtServer(host: ProviderHost, world: DoctorWorld): Promise<readonly Finding[]> {
  const { subject, url, calls } = host;
  const kind = KINDS[host.kind];
  const [call] = calls;
  if (kind === undefined || call === undefined) return [];
  const { connection } = call;
  const root = `${url.origin}${url.pathname.replace(/\/v1\/?$|\/$/, '')}`;
  const { headers } = connection.provider.authorize(
    { method: 'GET', url: `${root}${kind.path}`, headers: { accept: 'application/json' } },
    { id: connection.id, secret: connection.secret },
  );
  const answer = await world.io.fetch({ url: `${root}${kind.path}`, headers });
  if (!answer.ok && host.isTls)
    return [{ id: 'local.unasked', level: 'skipped', subject, message: `${url.host} gave no answer (${answer.code})` }];
  if (!answer.ok) return [notRunning(host, kind, answer.code)];
  const { status, text, ms } = answer.value;
  if (status === 404 && host.kind === 'automatic1111') return [withoutApi(host)];
  if (status === 404 && host.kind !== 'stable-diffusion-cpp') return [somethingElse(host, kind)];
  // Its key is looked at elsewhere, and a server that is loading says so by a 5xx of its own.
  if (status > 299)
    return [{ id: 'local.answers', level: 'ok', subject, message: `${kind.name} at ${url.host} answers ${status}` }];
  const found = kind.look(parseJson(text), host) ?? (await noCheckpoint(host, world));
  return [
    found ?? { id: 'local.ok', level: 'ok', subject, message: `${kind.name} at ${url.host} answers in ${ms} ms` },
  ];
}

function notRunning(
  { subject, url, hostname, isLoopback }: ProviderHost,
  { name, start }: Kind,
  code: string,
): Finding {
  const isRefused = code === 'ECONNREFUSED';
  const here = isLoopback
    ? 'Start it, or correct the port; inside a container 127.0.0.1 is the container itself, and the host is host.docker.internal'
    : `Start it on ${hostname} so that it listens on the network and not on 127.0.0.1 alone, or correct the address`;
  return {
    id: isRefused ? 'local.not-running' : 'local.no-answer',
    level: 'broken',
    subject,
    message: isRefused ? `${name} does not run at ${url.host}` : `${name} at ${url.host} gave no answer (${code})`,
    advice: isRefused ? `${here}.` : `${here}; if it runs it may hang, so look at its log.`,
    fix: start,
  };
}

function withoutApi({ subject, url }: ProviderHost): Finding {
  return {
    id: 'local.api-off',
    level: 'broken',
    subject,
    message: `a web UI runs at ${url.host} and its API is off (404)`,
    advice: 'Start it with --api; the page alone takes no calls.',
    fix: './webui.sh --api',
  };
}

function somethingElse({ subject, url, id }: ProviderHost, { name, path }: Kind): Finding {
  return {
    id: 'local.something-else',
    level: 'broken',
    subject,
    message: `something answers at ${url.host} and it is not ${name}: it does not know ${path} (404)`,
    advice: `Correct the port in providers.${id}.base_url, or the kind of the provider.`,
  };
}

function listAt(body: JsonValue | undefined, key: string): readonly JsonValue[] | undefined {
  const list = isObject(body) ? body[key] : undefined;
  return Array.isArray(list) ? list : undefined;
}

function emptyList(
  list: readonly JsonValue[] | undefined,
  { subject, url }: ProviderHost,
  mend: string,
): Finding | undefined {
  if (list === undefined || list.length > 0) return undefined;
  return {
    id: 'local.no-model',
    level: 'broken',
    subject,
    message: `the server at ${url.host} runs and has no model`,
    advice: `It needs one before it can make anything: ${mend}.`,
  };
}

/** What the server itself holds counts as free: it gives it up for another model. */
function gpuMemory(body: JsonValue | undefined, { subject, url }: ProviderHost): Finding | undefined {
  const cards = (listAt(body, 'devices') ?? []).filter(isObject).flatMap((card) => {
    const [free, total] = [numberIn(card, 'vram_free'), numberIn(card, 'vram_total')];
    if (free === undefined || total === undefined || total <= 0) return [];
    const own = (numberIn(card, 'torch_vram_total') ?? 0) - (numberIn(card, 'torch_vram_free') ?? 0);
    return [{ name: String(card.name), usable: free + own, total }];
  });
  const roomiest = cards.toSorted((one, other) => other.usable - one.usable)[0];
  if (roomiest === undefined || roomiest.usable >= LITTLE_MEMORY) return undefined;
  const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
  return {
    id: 'local.little-memory',
    level: 'warning',
    subject,
    message: `the GPU at ${url.host} (${roomiest.name.slice(0, 80)}) has ${gib(roomiest.usable)} of ${gib(roomiest.total)} for ComfyUI`,
    advice: 'End what else uses the GPU (nvidia-smi lists it), or expect pictures to fail for lack of memory.',
    fix: 'nvidia-smi',
  };
}

function numberIn(value: JsonObject, key: string): number | undefined {
  const found = value[key];
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** The built-in workflow loads a checkpoint; an owner's own may load anything. */
async function noCheckpoint(host: ProviderHost, world: DoctorWorld): Promise<Finding | undefined> {
  const { config } = world;
  const configured = config.ok ? config.config.providers.find(({ id }) => id === host.id) : undefined;
  const [call] = host.calls;
  if (host.kind !== 'comfyui' || configured?.workflows !== undefined || call === undefined) return undefined;
  const [response] = (await askFree(world, call.connection, host.kind))?.responses ?? [];
  const list = parseJson(response?.text ?? '');
  return emptyList(Array.isArray(list) ? list : undefined, host, 'put a checkpoint into models/checkpoints');
}
