import type { Price } from '@onetake/core';
import { protocolOf } from '../config/protocols.ts';
import type { Config, ProviderConfig } from '../config.ts';
import type { CliContext, RunningGateway } from './context.ts';
import { columns, heading } from './text.ts';

const MAX_MODELS_SHOWN = 4;
const MAX_ROUTES_SHOWN = 20;

/** What `onetake start` prints once: where it listens, what it can reach, and lines to copy. No key is in it. */
export function startScreen(config: Config, gateway: RunningGateway, context: CliContext): string {
  const title = (text: string) => heading(text, context.stdout, context);
  const sections = [
    columns(addresses(config, gateway)),
    ...providers(config, title),
    ...routes(config, title),
    `${title('try it')}\n${columns(copyLines(gateway, config), '  ')}`,
    ...(config.notices.length > 0
      ? [`${title('notes')}\n${config.notices.map((notice) => `  ${notice}`).join('\n')}`]
      : []),
  ];
  return `${sections.join('\n\n')}\n\nCtrl-C ends it\n`;
}

function addresses(config: Config, gateway: RunningGateway): string[][] {
  return [
    ['gateway', gateway.url],
    ...(config.publicUrl === undefined ? [] : [['public', config.publicUrl]]),
    [
      'page',
      `${config.publicUrl ?? gateway.url}/ in a browser${needsKey(config, gateway) ? ', for an admin key' : ''}`,
    ],
    ...(gateway.sandbox === undefined ? [] : [['sandbox', gateway.sandbox.url]]),
    ['data', config.dataDir],
    ...(config.databaseUrl === undefined ? [] : [['database', databaseName(config.databaseUrl)]]),
    ...(config.databaseUrl === undefined ? [] : [['pictures', config.assetsDir]]),
    ['callers', callers(config, gateway)],
  ];
}

function callers({ callers: named, adminKey }: Config, { hasKeys }: RunningGateway): string {
  const names = named.map((caller) => caller.name).join(', ');
  if (hasKeys) return `${names === '' ? '' : `${names} and `}those that "onetake keys list" shows`;
  if (names !== '') return names;
  return adminKey === undefined
    ? 'anybody on this machine, no key needed'
    : 'admin alone; make keys for others with "onetake keys create"';
}

/** Without user and password. */
function databaseName(url: string): string {
  const { host, pathname } = new URL(url);
  return `PostgreSQL at ${host}${pathname}, shared by every gateway on it`;
}

function providers({ providers: configured, sandbox }: Config, title: (text: string) => string): string[] {
  const rows = configured.map((one) => [one.id, one.keySource ?? 'no key', opens(one)]);
  if (rows.length > 0) return [`${title('providers')}\n${columns(rows, '  ')}`];
  if (!sandbox) return ['no provider key found and the sandbox is off: set OPENAI_API_KEY or sandbox: on'];
  return ['no provider key found: every model is played by the sandbox; set OPENAI_API_KEY for the real ones'];
}

/** The models a key opens, as far as names are known. */
function opens({ id, kind, baseUrl, hosts, played, workflows }: ProviderConfig): string {
  const { models = [], access } = protocolOf(kind, workflows) ?? {};
  const names = models.map((model) => (kind === 'openai' ? model.id : `${id}/${model.id}`));
  const more = names.length - MAX_MODELS_SHOWN;
  const listed = `${names.slice(0, MAX_MODELS_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const opened = names.length === 0 ? `${id}/<any model>` : listed;
  if (played) return `${opened}, played by the sandbox${played.script === undefined ? '' : ` (${played.script})`}`;
  return baseUrl === access?.baseUrl ? opened : `${opened}, at ${servers(baseUrl, hosts)}`;
}

function servers(baseUrl: string, hosts: ProviderConfig['hosts'] = {}): string {
  const others = Object.keys(hosts).length - 1;
  return others < 1 ? baseUrl : `${baseUrl} and ${others} more`;
}

function routes(config: Config, title: (text: string) => string): string[] {
  const entries = Object.entries(config.routes);
  if (entries.length === 0) return [];
  const rows = entries.slice(0, MAX_ROUTES_SHOWN).map(([name, route]) => [name, route.targets.join(', then ')]);
  if (entries.length > MAX_ROUTES_SHOWN) rows.push([`and ${entries.length - MAX_ROUTES_SHOWN} more`]);
  return [`${title('routes')}\n${columns(rows, '  ')}`];
}

function needsKey({ callers: named, adminKey }: Config, { hasKeys }: RunningGateway): boolean {
  return named.length > 0 || adminKey !== undefined || hasKeys === true;
}

/** Those for pictures name no model: the gateway's default answers. */
function copyLines(gateway: RunningGateway, config: Config): string[][] {
  const { url } = gateway;
  const isKeyed = needsKey(config, gateway);
  const auth = isKeyed ? ' -H "authorization: Bearer $ONETAKE_API_KEY"' : '';
  const node = isKeyed ? 'process.env.ONETAKE_API_KEY' : "'local'";
  const python = isKeyed ? 'os.environ["ONETAKE_API_KEY"]' : '"local"';
  return [
    [
      'curl',
      `curl -s ${url}/v1/images/generations${auth} -H 'content-type: application/json' -d '{"prompt":"a red fox"}'`,
    ],
    ['node', `await new OpenAI({ baseURL: '${url}/v1', apiKey: ${node} }).images.generate({ prompt: 'a red fox' })`],
    ['python', `OpenAI(base_url="${url}/v1", api_key=${python}).images.generate(prompt="a red fox")`],
    ...chatModelShown(config).map((model) => {
      const said = `{"model":"${model}","stream":true,"messages":[{"role":"user","content":"hello"}]}`;
      return ['chat', `curl -sN ${url}/v1/chat/completions${auth} -H 'content-type: application/json' -d '${said}'`];
    }),
  ];
}

/** The cheapest known model that answers in words; without any key the sandbox plays it. */
function chatModelShown({ defaultChatModel, providers: configured, sandbox }: Config): string[] {
  if (defaultChatModel !== undefined) return [defaultChatModel];
  const played = sandbox && configured.length === 0 ? protocolOf('openai') : undefined;
  const known = [played, ...configured.map(({ kind, workflows }) => protocolOf(kind, workflows))];
  const models = known.find((one) => one?.chat?.models.length)?.chat?.models ?? [];
  const speaking = models.filter(({ endpoints }) => endpoints.includes('chat/completions'));
  const [cheapest] = speaking.toSorted((one, other) => outputPrice(one.price) - outputPrice(other.price));
  return cheapest ? [cheapest.id] : [];
}

function outputPrice(price: Price | undefined): number {
  return price && 'perMillionTokensUsd' in price ? price.perMillionTokensUsd.output : Number.POSITIVE_INFINITY;
}
