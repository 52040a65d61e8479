import { createHash } from 'node:crypto';
import type { PlannedTarget } from '@onetake/core';
import type { ProviderConfig } from './providers.ts';
import type { ConfigFile } from './schema.ts';

export interface CacheConfig {
  /** Of all cached pictures together. */
  readonly bytes: number;
  readonly days: number;
  /** What routes say of it, where they say anything; has no prototype. */
  readonly routes: Readonly<Record<string, 'on' | 'off'>>;
}

export function readCachedRoutes({ routes }: Pick<ConfigFile, 'routes'>): CacheConfig['routes'] {
  const said: Record<string, 'on' | 'off'> = Object.create(null);
  for (const [name, { cache }] of Object.entries(routes)) if (cache !== undefined) said[name] = cache ? 'on' : 'off';
  return said;
}

/**
 * Digests of what targets are beside their names, for the keys of the cache: address, protocol and workflow, so that
 * another server or an edited workflow never answers with pictures of the one before. Undefined for a provider that is
 * not configured, which only the sandbox is.
 */
export function targetVersions(
  providers: readonly ProviderConfig[],
): (target: Pick<PlannedTarget, 'provider' | 'model'>) => string | undefined {
  const known = new Map(providers.map((one) => [one.id, versionsOf(one)]));
  return ({ provider, model }) => {
    const versions = known.get(provider);
    return versions?.models.get(model) ?? versions?.others;
  };
}

function versionsOf({ kind, baseUrl, hosts, played, workflows }: ProviderConfig) {
  const addresses = hosts === undefined ? [baseUrl] : Object.values(hosts).toSorted();
  const place = [kind, addresses, played?.script ?? null, workflows?.checkpoint ?? null];
  const own = Object.entries(workflows?.workflows ?? {});
  return {
    others: digest(place),
    models: new Map(own.map(([model, { graph }]) => [model, digest([...place, graph])])),
  };
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
