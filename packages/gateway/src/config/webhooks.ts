import { nearMatches } from '@onetake/core';
import { LOCAL_CALLER } from '../http/callers.ts';
import { readEndpoint, type WebhookEventType } from '../webhooks/endpoint.ts';
import { isWebhookSecret, SECRET_RULE } from '../webhooks/secrets.ts';
import type { Caller, Environment } from './environment.ts';
import { keyFromEnvironment, keyFromFile } from './keys.ts';
import { didYouMean, fault, type Report } from './report.ts';
import type { ConfigFile } from './schema.ts';

/** Where tasks send their events unless a request says otherwise. */
export interface WebhookConfig {
  /** Addresses of loopback and of private networks may be delivered to. */
  readonly allowPrivate: boolean;
  /** By the caller's name; has no prototype. */
  readonly callers: Readonly<Record<string, CallerWebhook>>;
}

export interface CallerWebhook {
  readonly url?: string;
  readonly events?: readonly WebhookEventType[];
  /** `whsec_…`; without one the gateway makes its own. */
  readonly secret?: string;
}

interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly callers: readonly Caller[];
  readonly report: Report;
}

type WebhookEntry = ConfigFile['webhooks']['keys'][string];

/** Checks the callers' names and addresses and reads their secrets. */
export function readWebhooks({ webhooks }: ConfigFile, surroundings: Surroundings): WebhookConfig {
  const { callers, report } = surroundings;
  const names = callers.length === 0 ? [LOCAL_CALLER] : callers.map(({ name }) => name);
  const read: Record<string, CallerWebhook> = Object.create(null);
  for (const [name, entry] of Object.entries(webhooks.keys)) {
    const path = `webhooks.keys.${name}`;
    if (!names.includes(name)) report.faults.push(unknownCaller(path, name, names));
    const url = readUrl(entry.url, `${path}.url`, webhooks.allow_private, report);
    const secret = readSecret(entry, path, surroundings);
    read[name] = {
      ...(url !== undefined && { url }),
      ...(entry.events !== undefined && { events: entry.events }),
      ...(secret !== undefined && { secret }),
    };
  }
  return { allowPrivate: webhooks.allow_private, callers: read };
}

function unknownCaller(path: string, name: string, names: readonly string[]): string {
  const MAX_NAMED = 10;
  const known = `${names.slice(0, MAX_NAMED).join(', ')}${names.length > MAX_NAMED ? ', …' : ''}`;
  const expected = `a caller of ONETAKE_API_KEYS (${known}; without keys there is only ${LOCAL_CALLER})`;
  return `${path}: expected ${expected}, got "${name}"; ${didYouMean(nearMatches(name, names)) ?? 'correct it or remove it'}`;
}

function readUrl(value: string | undefined, path: string, allowPrivate: boolean, report: Report): string | undefined {
  if (value === undefined) return undefined;
  const read = readEndpoint(value, allowPrivate);
  if (read.ok) return read.url;
  const { expected, advice, hidden } = read;
  report.faults.push(
    hidden
      ? `${path}: expected ${expected}, got one that is not shown; ${advice}`
      : fault(path, expected, value, advice),
  );
  return undefined;
}

function readSecret(entry: WebhookEntry, path: string, { env, cwd, report }: Surroundings): string | undefined {
  const { secret_env: variable, secret_file: file } = entry;
  if (variable !== undefined && file !== undefined) {
    report.faults.push(`${path}: expected secret_env or secret_file, got both; remove one of them`);
    return undefined;
  }
  const faults = report.faults.length;
  const key =
    file !== undefined
      ? keyFromFile(file, `${path}.secret_file`, cwd, report)
      : variable && keyFromEnvironment(variable, env, cwd, report);
  if (key === undefined || key === '') {
    // Signing with another secret than the receiver expects would have every delivery refused.
    if (variable !== undefined && report.faults.length === faults)
      report.faults.push(
        `${path}.secret_env: expected ${variable} to be set, got nothing; set it, or remove the line and the gateway makes a secret`,
      );
    return undefined;
  }
  if (isWebhookSecret(key.secret)) return key.secret;
  report.faults.push(`${key.source}: expected ${SECRET_RULE}, got a value that is not shown; ${MAKE_ONE}`);
  return undefined;
}

const MAKE_ONE = 'make one with: echo "whsec_$(openssl rand -base64 32)"';
