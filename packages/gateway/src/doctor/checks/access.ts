import { isLoopback } from '../../config/environment.ts';
import type { Config } from '../../config.ts';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { countText, fine, listed, ownConfig, unread } from './found.ts';
import { ownerOf } from './key-shapes.ts';

const SHORT_KEY_CHARS = 20;

/** Who can call, over what, and whether the links that callers get lead back here. */
export const ACCESS: Check = {
  id: 'access',
  title: 'access',
  async run(world) {
    const config = ownConfig(world);
    if (config === undefined) return unread('access');
    const found = [...reachFindings(config, world), ...keyFindings(config), ...originFindings(config)];
    return found.length > 0 ? found : [fine('access.well', accessText(config, world))];
  },
};

function accessText({ host, callers, publicUrl }: Config, world: DoctorWorld): string {
  const from = isLoopback(host) ? 'this machine' : host;
  const managed = keysInUse(world);
  const who = callers.length + managed === 0 ? 'anybody, without a key' : countText(callers.length + managed, 'key');
  return `from ${from}: ${who}${publicUrl === undefined ? '' : `; from outside as ${publicUrl}`}`;
}

/** Expired ones count: only revoking the last one opens the gateway. */
function keysInUse({ gateway }: DoctorWorld): number {
  return (gateway?.keys ?? []).filter(({ isRevoked }) => !isRevoked).length;
}

function reachFindings({ host, publicUrl, callers, adminKey }: Config, world: DoctorWorld): readonly Finding[] {
  const isNear = isLoopback(host);
  const outside = publicUrl === undefined ? undefined : new URL(publicUrl);
  const found: Finding[] = [];
  const add = (id: string, level: Finding['level'], message: string, advice: string, fix: string) =>
    found.push({ id: `access.${id}`, level, message, advice, fix });
  if (!isNear && publicUrl === undefined) {
    const message = `callers of ${host} get links to pictures at 127.0.0.1, because ONETAKE_PUBLIC_URL is not set`;
    add('no-public-url', 'warning', message, PUBLIC, 'export ONETAKE_PUBLIC_URL=https://images.example.com');
  }
  if (outside !== undefined && !isLoopback(outside.hostname)) {
    if (callers.length + keysInUse(world) === 0 && adminKey === undefined) {
      const message = `${publicUrl} reaches the gateway from outside, and no key is asked for`;
      const advice = 'Set ONETAKE_API_KEYS, or make keys: anybody who finds it spends on your provider keys.';
      // Keys that were made may be in a store that nobody has open now.
      add(
        'open',
        world.gateway?.keys === undefined ? 'warning' : 'broken',
        message,
        advice,
        'onetake keys create --name app',
      );
    }
    if (outside.protocol === 'http:') {
      const message = `ONETAKE_PUBLIC_URL is http: callers’ keys and pictures are readable on the way`;
      add(
        'plain-http',
        'warning',
        message,
        'Put TLS in front and say https.',
        `export ONETAKE_PUBLIC_URL=https://${outside.host}`,
      );
    }
  }
  return found;
}

const PUBLIC =
  'Set it to the address by which callers reach the gateway: links are built on it, never on what a request says.';

function keyFindings({ callers, providers }: Config): readonly Finding[] {
  const secrets = providers.flatMap(({ secret, pool }) => [secret, ...Object.values(pool ?? {})]);
  const shared = callers.filter(({ key }) => secrets.includes(key) || (ownerOf(key)?.kinds.length ?? 0) > 0);
  const short = callers.filter(({ key }) => key.length < SHORT_KEY_CHARS);
  const found: Finding[] = [];
  if (shared.length > 0)
    found.push({
      ...{ id: 'access.provider-key', level: 'warning', subject: 'ONETAKE_API_KEYS' },
      message: `the key of ${listed(shared.map(({ name }) => name))} looks like a provider’s own`,
      advice: 'Give callers keys of their own: who has this one needs no gateway to spend with it.',
      fix: 'onetake keys create --name app',
    });
  if (short.length > 0)
    found.push({
      ...{ id: 'access.short-key', level: 'warning', subject: 'ONETAKE_API_KEYS' },
      message: `the key of ${listed(short.map(({ name }) => name))} has fewer than ${SHORT_KEY_CHARS} characters`,
      advice: 'Take one that cannot be guessed by trying, of 32 random characters or more.',
      fix: 'openssl rand -hex 24',
    });
  return found;
}

function originFindings({ corsOrigins }: Config): readonly Finding[] {
  const plain = corsOrigins.filter((origin) => {
    const { protocol, hostname } = new URL(origin);
    return protocol === 'http:' && !isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
  });
  if (plain.length === 0) return [];
  const message = `cors.origins lets in pages that were loaded over http: ${listed(plain)}`;
  const advice = 'Name their https origins: who stands on the way to an http page can call in its name.';
  const fix = `cors:\n  origins: [${plain.map((origin) => origin.replace('http:', 'https:')).join(', ')}]`;
  return [{ id: 'access.cors-http', level: 'warning', message, advice, fix }];
}
