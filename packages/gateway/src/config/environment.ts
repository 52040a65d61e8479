import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { nearMatches, OPENAI_TIERS } from '@onetake/core';
import { didYouMean, fault, type Report } from './report.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Who may call, and how the gateway knows them. */
export interface Caller {
  readonly name: string;
  readonly key: string;
}

/** What the environment says about the gateway itself. */
export interface OwnAddress {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Where pictures are kept; the nodes of a cluster share it. */
  readonly assetsDir: string;
  /** A PostgreSQL that several gateways share; without one, SQLite in `dataDir`. */
  readonly databaseUrl?: string;
  readonly publicUrl?: string;
  /** The usage tier of the OpenAI account, 1 to 5: where its limits start from. */
  readonly openaiTier?: number;
  readonly callers: readonly Caller[];
  /** The key that administers; without one the gateway makes its own. */
  readonly adminKey?: string;
}

const DEFAULT_PORT = 8484;
const MAX_PORT = 65_535;
const MAX_CALLERS = 1_000;
const MIN_KEY_CHARACTERS = 8;
const MIN_ADMIN_KEY_CHARACTERS = 16;
/** Who calls with ONETAKE_ADMIN_KEY. */
const ADMIN = 'admin';
const MAX_NOTICED = 10;
const PREFIX = 'ONETAKE_';
/** Everything some command reads. */
const NAMES = [
  ...['PORT', 'HOST', 'DATA', 'API_KEYS', 'ADMIN_KEY', 'PUBLIC_URL', 'CONFIG', 'URL', 'API_KEY', 'DATABASE_URL'],
  ...['ASSETS', 'LOG_LEVEL'],
];

/** Reads the `ONETAKE_*` variables; an empty one counts as not set. */
export function readEnvironment(env: Environment, cwd: string, report: Report): OwnAddress {
  noticeStrangers(env, report);
  const callers = readCallers(env.ONETAKE_API_KEYS ?? '', report);
  const adminKey = readAdminKey(env.ONETAKE_ADMIN_KEY, callers, report);
  const publicUrl = readPublicUrl(env.ONETAKE_PUBLIC_URL, report);
  const dataDir = resolve(cwd, env.ONETAKE_DATA || 'onetake-data');
  const databaseUrl = readDatabaseUrl(env, report);
  return {
    host: readHost(env.ONETAKE_HOST || '127.0.0.1', Boolean(env.ONETAKE_API_KEYS || env.ONETAKE_ADMIN_KEY), report),
    port: readPort(env.ONETAKE_PORT, report),
    dataDir,
    assetsDir: env.ONETAKE_ASSETS ? resolve(cwd, env.ONETAKE_ASSETS) : join(dataDir, 'assets'),
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...readTier(env.OPENAI_TIER, report),
    callers,
    ...(adminKey !== undefined && { adminKey }),
    ...(publicUrl !== undefined && { publicUrl }),
  };
}

function readPort(value: string | undefined, report: Report): number {
  if (!value) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port <= MAX_PORT) return port;
  report.faults.push(fault('ONETAKE_PORT', `a whole number from 0 to ${MAX_PORT}`, value, '0 takes a free port'));
  return DEFAULT_PORT;
}

function readHost(value: string, hasKeys: boolean, report: Report): string {
  const host = value.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(host)) {
    report.faults.push(fault('ONETAKE_HOST', 'an IP address or a host name', value));
  } else if (!isLoopback(host) && !hasKeys) {
    const why =
      'anybody who reaches it could spend on your provider keys: set ONETAKE_API_KEYS=name:key, or ONETAKE_ADMIN_KEY and make keys with "onetake keys create"';
    const rule = 'a loopback address while ONETAKE_API_KEYS is not set, nor ONETAKE_ADMIN_KEY';
    report.faults.push(fault('ONETAKE_HOST', rule, value, why));
  }
  return host;
}

/** Whether only this machine reaches the address; IPv6 with its brackets, as a URL has it, or without. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === '::1' || name === 'localhost' || name.endsWith('.localhost') || /^127(\.\d{1,3}){3}$/.test(name);
}

/** Where this machine reaches who listens at an address; bound to every address, loopback is one of them. */
export function urlHere(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function readTier(value: string | undefined, report: Report): Pick<OwnAddress, 'openaiTier'> {
  if (!value) return {};
  const tier = /^\d$/.test(value) ? Number(value) : 0;
  if (tier >= 1 && tier <= OPENAI_TIERS) return { openaiTier: tier };
  report.faults.push(fault('OPENAI_TIER', `a usage tier from 1 to ${OPENAI_TIERS}`, value));
  return {};
}

/** Never said back: it holds a password. */
function readDatabaseUrl(env: Environment, report: Report): string | undefined {
  const value = env.ONETAKE_DATABASE_URL?.trim();
  if (!value) return undefined;
  const { protocol, hostname } = URL.parse(value) ?? {};
  if ((protocol === 'postgres:' || protocol === 'postgresql:') && hostname !== undefined) {
    if (!env.ONETAKE_ASSETS)
      report.notices.push(
        'ONETAKE_DATABASE_URL is set and ONETAKE_ASSETS is not: other gateways on this database will not find the pictures of this one; point both at one shared directory',
      );
    return value;
  }
  report.faults.push('ONETAKE_DATABASE_URL: expected postgres://user:password@host/database, got something else');
  return undefined;
}

function readCallers(value: string, report: Report): readonly Caller[] {
  if (value === '') return [];
  const entries = value.split(',').filter((entry, index, all) => entry !== '' || index < all.length - 1);
  if (entries.length > MAX_CALLERS) {
    report.faults.push(`ONETAKE_API_KEYS: expected at most ${MAX_CALLERS} entries, got ${entries.length}`);
    return [];
  }
  const callers: Caller[] = [];
  for (const [index, entry] of entries.entries()) {
    const caller = readCaller(entry, callers);
    if (typeof caller === 'string') report.faults.push(`ONETAKE_API_KEYS, entry ${index + 1}: expected ${caller}`);
    else callers.push(caller);
  }
  return callers;
}

/** The caller, or what is wrong with the entry without a word of it: a misplaced colon must not print a key. */
function readCaller(entry: string, earlier: readonly Caller[]): Caller | string {
  const colon = entry.indexOf(':');
  if (colon < 0) return 'name:key, got an entry without a colon';
  const [name, key] = [entry.slice(0, colon), entry.slice(colon + 1)];
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name))
    return 'a name of 1 to 64 letters, digits, dots, dashes or underscores, got another one';
  if (name === ADMIN) return `a name other than "${ADMIN}", which is ONETAKE_ADMIN_KEY's`;
  const wrong = wrongKey(key, MIN_KEY_CHARACTERS);
  if (wrong !== undefined) return wrong;
  if (earlier.some((one) => one.name === name)) return 'a name of its own, got one that an earlier entry has';
  if (earlier.some((one) => one.key === key)) return 'a key of its own, got one that an earlier entry has';
  return { name, key };
}

/** Never said back, like every key. */
function readAdminKey(value: string | undefined, callers: readonly Caller[], report: Report): string | undefined {
  if (!value) return undefined;
  const wrong = wrongKey(value, MIN_ADMIN_KEY_CHARACTERS);
  if (wrong !== undefined) report.faults.push(`ONETAKE_ADMIN_KEY: expected ${wrong}`);
  else if (callers.some(({ key }) => key === value))
    report.faults.push('ONETAKE_ADMIN_KEY: expected a key of its own, got one that stands in ONETAKE_API_KEYS');
  return value;
}

/** What a key should be and is not. */
function wrongKey(key: string, leastCharacters: number): string | undefined {
  if (/[^\x21-\x7e]/.test(key)) return 'a key of printable characters without spaces, got one with others';
  if (key.length >= leastCharacters) return undefined;
  return `a key of at least ${leastCharacters} characters, got ${key.length}; a shorter one can be guessed by trying`;
}

function readPublicUrl(value: string | undefined, report: Report): string | undefined {
  if (!value) return undefined;
  const url = parseAddress(value);
  if (url !== undefined) return url;
  report.faults.push(fault('ONETAKE_PUBLIC_URL', ADDRESS, value.includes('@') ? undefined : value));
  return undefined;
}

/** What `parseAddress` takes, in words. */
export const ADDRESS = 'an http or https address without user, query or fragment';

/** An absolute http(s) URL without its trailing slashes; undefined for anything else. */
export function parseAddress(value: string): string | undefined {
  const url = URL.parse(value.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
  return url.href.replace(/\/+$/, '');
}

/** A variable of ours that nobody reads is most likely a slip of the pen. */
function noticeStrangers(env: Environment, report: Report): void {
  const stems = Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !name.endsWith('_BASE_URL'))
    .map((name) => name.slice(PREFIX.length));
  for (const stem of stems.filter((one) => !NAMES.includes(one)).slice(0, MAX_NOTICED)) {
    const hint = didYouMean(nearMatches(stem, NAMES).map((name) => `${PREFIX}${name}`));
    const known = NAMES.map((name) => `${PREFIX}${name}`).join(', ');
    report.notices.push(`${PREFIX}${stem} is set and nothing reads it; ${hint ?? `known are ${known}`}`);
  }
}
