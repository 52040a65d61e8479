import { type ComfyuiSettings, nearMatches, type Provider } from '@onetake/core';
import { ADDRESS, type Environment, isLoopback, type OwnAddress, parseAddress } from './environment.ts';
import { addressesIn, type Hosts, readHosts } from './hosts.ts';
import { IMITATED, imitationOf } from './imitations.ts';
import { kindOf, protocolOf, WELL_KNOWN } from './protocols.ts';
import { isSet, type ProviderKeys, readKeys } from './provider-keys.ts';
import { didYouMean, fault, type Report } from './report.ts';
import type { ConfigFile, ProviderEntry } from './schema.ts';
import { readWorkflows } from './workflows.ts';

/** A provider that can be called. */
export interface ProviderConfig extends ProviderKeys {
  readonly id: string;
  /** The protocol it speaks, one of `KINDS`. */
  readonly kind: string;
  /** Without a trailing slash; empty where the sandbox plays it. */
  readonly baseUrl: string;
  /** The servers of a pool by credential, where several are configured; `baseUrl` is the first of them. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** The sandbox plays it, going wrong as `script` says. */
  readonly played?: { readonly script?: string };
  /** Its owner's workflows, where it is a ComfyUI. */
  readonly workflows?: ComfyuiSettings;
}

const BASE_URL_VARIABLE = /^ONETAKE_([A-Z0-9][A-Z0-9_]*)_BASE_URL$/;
/** `sandbox`, or `sandbox:429:2,ok` for what shall go wrong. */
const PLAYED = /^sandbox(?::([\w.:,-]{1,500}))?$/;

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
    const isNamed = Object.hasOwn(file.providers, id);
    const workflows = readWorkflows(id, kindOf(id, entry), entry, cwd, report);
    const read = readProvider(id, entry, { env, cwd, own, report, isNamed, sandbox: file.sandbox });
    return read.map((one) => ({ ...one, ...(workflows && { workflows }) }));
  });
}

interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly own: OwnAddress;
  readonly report: Report;
  /** The file names it: what it lacks is said. */
  readonly isNamed: boolean;
  readonly sandbox: boolean;
}

function readProvider(id: string, entry: ProviderEntry, surroundings: Surroundings): ProviderConfig[] {
  const kind = kindOf(id, entry);
  const { access = {} } = protocolOf(kind) ?? {};
  const given = addressOf(id, entry, access, surroundings.env);
  const usual = kindOf(id, {}) === kind || entry.image_api !== undefined ? (access.keyVariables ?? []) : [];
  const keys = readKeys(id, entry, { ...surroundings, usual });
  const played = typeof given?.value === 'string' ? PLAYED.exec(given.value) : null;
  if (given !== undefined && played) return playedBySandbox({ id, kind }, given.setting, played[1], keys, surroundings);
  if (given === undefined && access.baseUrl !== undefined) return atUsualAddress(id, entry, keys, surroundings);
  // A key alone is no reason to refuse to start: it may be there for another program.
  if (given === undefined && !surroundings.isNamed) return [];
  const hosts = readAddresses(id, given, keys?.pool !== undefined, surroundings);
  return hosts === undefined ? [] : [{ id, kind, ...hosts, ...(keys ?? { secret: '', keySource: undefined }) }];
}

/** With a key, or named in the file where none is needed: a key alone may be there for another program's address. */
function atUsualAddress(
  id: string,
  entry: ProviderEntry,
  keys: ProviderKeys | undefined,
  { isNamed, report }: Surroundings,
): ProviderConfig[] {
  const kind = kindOf(id, entry);
  const { baseUrl = '', keyless, keyVariables = [] } = protocolOf(kind)?.access ?? {};
  if (keyless) return isNamed ? [{ id, kind, baseUrl, ...(keys ?? { secret: '', keySource: undefined }) }] : [];
  if (keys !== undefined) return [{ id, kind, baseUrl, ...keys }];
  const usual = kindOf(id, {}) === kind || entry.image_api !== undefined ? keyVariables : [];
  if (isNamed) noticeNoKey(id, entry, usual, report);
  return [];
}

interface Address {
  readonly setting: string;
  readonly value: string | readonly string[];
}

/** Ours before the file's before those that other programs read too. */
function addressOf(
  id: string,
  entry: ProviderEntry,
  access: NonNullable<Provider['access']>,
  env: Environment,
): Address | undefined {
  const own = variableOf(id);
  if (env[own]) return { setting: own, value: env[own] };
  if (entry.base_url !== undefined) return { setting: `providers.${id}.base_url`, value: entry.base_url };
  const variable = access.baseUrlVariables?.find((name) => env[name]);
  if (variable === undefined) return undefined;
  const told = env[variable] ?? '';
  return { setting: variable, value: PLAYED.test(told) ? told : (access.readAddress?.(told) ?? told) };
}

function readAddresses(
  id: string,
  given: Address | undefined,
  hasKeyPool: boolean,
  surroundings: Surroundings,
): Hosts | undefined {
  const setting = given?.setting ?? `providers.${id}.base_url`;
  const values = given === undefined ? [undefined] : addressesIn(given.value);
  const addresses = values.map((value) => readAddress(id, setting, value, surroundings));
  return readHosts({ id, setting, hasKeyPool }, addresses, surroundings.report);
}

function readAddress(
  id: string,
  setting: string,
  value: string | undefined,
  { own, report }: Surroundings,
): string | undefined {
  const baseUrl = value && parseAddress(value);
  if (!baseUrl) {
    const example = `such as http://127.0.0.1:1234/v1; or set ${variableOf(id)}`;
    report.faults.push(fault(setting, ADDRESS, value?.includes('@') ? undefined : value, example));
    return undefined;
  }
  if (!isOurselves(new URL(baseUrl), own)) return baseUrl;
  const why = 'that is this gateway, which would call itself';
  report.faults.push(fault(setting, 'the address of a provider', baseUrl, why));
  return undefined;
}

function playedBySandbox(
  { id, kind }: Pick<ProviderConfig, 'id' | 'kind'>,
  setting: string,
  script: string | undefined,
  keys: ProviderKeys | undefined,
  { sandbox, report }: Surroundings,
): ProviderConfig[] {
  if (!sandbox) {
    report.faults.push(`${setting}: expected an address, got the sandbox, which is off; set sandbox: on`);
    return [];
  }
  if (imitationOf(kind) === undefined) {
    report.faults.push(fault(setting, `one of ${IMITATED.join(', ')} to be played by the sandbox`, kind));
    return [];
  }
  const played = script === undefined ? {} : { script };
  return [{ id, kind, baseUrl: '', played, ...(keys ?? { secret: 'sandbox', keySource: undefined }) }];
}

function noticeNoKey(id: string, entry: ProviderEntry, usual: readonly string[], report: Report): void {
  if (entry.key_env !== undefined || entry.key_file !== undefined) return;
  if (usual.length === 0) {
    report.faults.push(
      `providers.${id}: expected key_env or key_file, got neither; name the variable that holds its key`,
    );
  } else report.notices.push(`providers.${id}: it has no key and is left out; set ${usual.join(' or ')}`);
}

/**
 * The file's providers, then those whose usual variables are set, then those that only an address names:
 * `ONETAKE_MYLAB_BASE_URL` makes `mylab`.
 */
function withVariables(
  configured: ConfigFile['providers'],
  env: Environment,
  report: Report,
): readonly (readonly [string, ProviderEntry])[] {
  const entries = Object.entries(configured);
  if (!Object.hasOwn(configured, 'openai')) entries.unshift(['openai', {}]);
  for (const { id, access = {} } of WELL_KNOWN) {
    const { keyVariables = [], baseUrlVariables = [] } = access;
    const isGiven = keyVariables.some((name) => isSet(name, env)) || baseUrlVariables.some((name) => env[name]);
    if (isGiven && !entries.some(([known]) => known === id)) entries.push([id, {}]);
  }
  const ids = entries.map(([id]) => id);
  const known = [...ids, ...WELL_KNOWN.map((provider) => provider.id)];
  for (const name of Object.keys(env)) {
    const [, stem] = BASE_URL_VARIABLE.exec(name) ?? [];
    if (stem === undefined || !env[name] || ids.some((id) => variableOf(id) === name)) continue;
    const id = stem.toLowerCase().replaceAll('_', '-');
    const hint = known.includes(id) ? undefined : didYouMean(nearMatches(id, ids).map(variableOf));
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
