import type { Environment } from './environment.ts';
import { type Key, keyFromEnvironment, keyFromFile } from './keys.ts';
import type { Report } from './report.ts';
import type { ProviderEntry } from './schema.ts';

/** What a provider's calls go with. */
export interface ProviderKeys {
  readonly secret: string;
  /** The keys of a pool by credential, where several are configured; `secret` is the first of them. */
  readonly pool?: Readonly<Record<string, string>>;
  /** The variable or the file that held the key. */
  readonly keySource: string | undefined;
}

interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly report: Report;
  /** The variables the provider's key is usually in. */
  readonly usual: readonly string[];
}

/** One key, or a pool of those that are set; a pool of one is a key. */
export function readKeys(id: string, entry: ProviderEntry, surroundings: Surroundings): ProviderKeys | undefined {
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

function readKey(id: string, entry: SingleKey, { env, cwd, report, usual }: Surroundings): Key | undefined {
  const { key_env: variable, key_file: file } = entry;
  if (variable !== undefined && file !== undefined) {
    report.faults.push(`providers.${id}: expected key_env or key_file, got both; remove one of them`);
    return undefined;
  }
  if (file !== undefined) return keyFromFile(file, `providers.${id}.key_file`, cwd, report);
  if (variable === undefined) {
    const set = usual.find((name) => isSet(name, env));
    return set === undefined ? undefined : keyFromEnvironment(set, env, cwd, report);
  }
  const key = keyFromEnvironment(variable, env, cwd, report);
  if (key === undefined && !env[`${variable}_FILE`]) {
    report.notices.push(`providers.${id}.key_env: ${variable} is not set, so ${id} has no key`);
  }
  return key;
}

/** In the variable itself, or in the file that its `_FILE` names. */
export function isSet(variable: string, env: Environment): boolean {
  return Boolean(env[variable] || env[`${variable}_FILE`]);
}
