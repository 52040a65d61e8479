import { nearMatches } from '@onetake/core';
import { ADDRESS, type Environment, isLoopback, type OwnAddress, parseAddress } from './environment.ts';
import { type Key, keyFromEnvironment, keyFromFile } from './keys.ts';
import { didYouMean, fault, type Report } from './report.ts';
import type { ConfigFile, ProviderEntry } from './schema.ts';

/** A provider that can be called. */
export interface ProviderConfig {
  readonly id: string;
  readonly kind: 'openai' | 'openai-compatible' | 'sandbox-task';
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Empty for a server that wants no key. */
  readonly secret: string;
  /** The keys of a pool by credential, where several are configured; `secret` is the first of them. */
  readonly pool?: Readonly<Record<string, string>>;
  /** The variable or the file that held the key. */
  readonly keySource: string | undefined;
}

const OPENAI_URL = 'https://api.openai.com/v1';
const BASE_URL_VARIABLE = /^ONETAKE_([A-Z0-9][A-Z0-9_]*)_BASE_URL$/;

/** Brings file and environment together, `openai` first unless the file orders otherwise. */
export function readProviders(
  file: ConfigFile,
  env: Environment,
  cwd: string,
  own: OwnAddress,
  report: Report,
): readonly ProviderConfig[] {
  noticeOpenaiBaseUrl(env, report);
  const entries = withVariables(file.providers, env, report);
  return entries.flatMap(([id, entry]) => {
    if (id === 'sandbox') {
      report.faults.push(
        'providers.sandbox: expected another id, got the name of the built-in sandbox; see sandbox: on | off',
      );
      return [];
    }
    return readProvider(id, entry, { env, cwd, own, report });
  });
}

interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly own: OwnAddress;
  readonly report: Report;
}

function readProvider(id: string, entry: ProviderEntry, surroundings: Surroundings): ProviderConfig[] {
  const { env, own, report } = surroundings;
  const kind = entry.kind ?? (id === 'openai' ? 'openai' : 'openai-compatible');
  const variable = variableOf(id);
  const [setting, value] = env[variable] ? [variable, env[variable]] : [`providers.${id}.base_url`, entry.base_url];
  const key = readKeys(id, entry, surroundings);
  if (value === undefined && kind === 'openai') {
    if (key === undefined && id !== 'openai' && entry.key_env === undefined && entry.key_file === undefined)
      report.faults.push(
        `providers.${id}: expected key_env or key_file, got neither; name the variable that holds its key`,
      );
    if (key === undefined) return [];
    return [{ id, kind, baseUrl: OPENAI_URL, ...key }];
  }
  const baseUrl = value === undefined ? undefined : parseAddress(value);
  if (baseUrl === undefined) {
    const example = `such as http://127.0.0.1:1234/v1; or set ${variable}`;
    report.faults.push(fault(setting, ADDRESS, value?.includes('@') ? undefined : value, example));
    return [];
  }
  if (isOurselves(new URL(baseUrl), own)) {
    report.faults.push(
      fault(setting, 'the address of a provider', baseUrl, 'that is this gateway, which would call itself'),
    );
    return [];
  }
  return [{ id, kind, baseUrl, ...(key ?? { secret: '', keySource: undefined }) }];
}

type Keys = Pick<ProviderConfig, 'secret' | 'pool' | 'keySource'>;

/** One key, or a pool of those that are set; a pool of one is a key. */
function readKeys(id: string, entry: ProviderEntry, surroundings: Surroundings): Keys | undefined {
  const { key_env: variables, ...rest } = entry;
  const names = Array.isArray(variables) ? variables : [variables];
  const keys = names.flatMap((name) => {
    const key = readKey(id, name === undefined ? rest : { ...rest, key_env: name }, surroundings);
    return key ? [key] : [];
  });
  const [first] = keys;
  if (first === undefined) return undefined;
  const keySource = keys.map(({ source }) => source).join(', ');
  if (keys.length === 1) return { secret: first.secret, keySource };
  const pool = Object.fromEntries(keys.map(({ secret, source }) => [`${id}:${source}`, secret]));
  return { secret: first.secret, pool, keySource };
}

type SingleKey = Omit<ProviderEntry, 'key_env'> & { readonly key_env?: string };

function readKey(id: string, entry: SingleKey, { env, cwd, report }: Surroundings): Key | undefined {
  const { key_env: variable, key_file: file } = entry;
  if (variable !== undefined && file !== undefined) {
    report.faults.push(`providers.${id}: expected key_env or key_file, got both; remove one of them`);
    return undefined;
  }
  if (file !== undefined) return keyFromFile(file, `providers.${id}.key_file`, cwd, report);
  if (variable === undefined)
    return id === 'openai' ? keyFromEnvironment('OPENAI_API_KEY', env, cwd, report) : undefined;
  const key = keyFromEnvironment(variable, env, cwd, report);
  if (key === undefined && !env[`${variable}_FILE`]) {
    report.notices.push(`providers.${id}.key_env: ${variable} is not set, so ${id} has no key`);
  }
  return key;
}

/** The file's providers, then those that only a variable names: `ONETAKE_MYLAB_BASE_URL` makes `mylab`. */
function withVariables(
  configured: ConfigFile['providers'],
  env: Environment,
  report: Report,
): readonly (readonly [string, ProviderEntry])[] {
  const entries = Object.entries(configured);
  if (!Object.hasOwn(configured, 'openai')) entries.unshift(['openai', {}]);
  const ids = entries.map(([id]) => id);
  for (const name of Object.keys(env)) {
    const [, stem] = BASE_URL_VARIABLE.exec(name) ?? [];
    if (stem === undefined || !env[name] || ids.some((id) => variableOf(id) === name)) continue;
    const id = stem.toLowerCase().replaceAll('_', '-');
    const hint = didYouMean(nearMatches(id, ids).map(variableOf));
    if (hint === undefined) entries.push([id, {}]);
    else report.faults.push(`${name}: expected the name of a provider, got "${id}"; ${hint}`);
  }
  return entries;
}

function variableOf(id: string): string {
  return `ONETAKE_${id.toUpperCase().replaceAll('-', '_')}_BASE_URL`;
}

function noticeOpenaiBaseUrl(env: Environment, report: Report): void {
  if (!env.OPENAI_BASE_URL) return;
  report.notices.push(
    'OPENAI_BASE_URL is set; applications use it to reach Onetake, so it is ignored here; set ONETAKE_OPENAI_BASE_URL to change where OpenAI is',
  );
}

function isOurselves(url: URL, own: OwnAddress): boolean {
  if (own.publicUrl !== undefined && new URL(own.publicUrl).origin === url.origin) return true;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return own.port === port && (isLoopback(host) || host === own.host || host === '0.0.0.0' || host === '::');
}
