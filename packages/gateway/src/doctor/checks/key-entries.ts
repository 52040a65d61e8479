import { PROVIDERS } from '@onetake/core';
import { WELL_KNOWN } from '../../config/protocols.ts';
import { isSet } from '../../config/provider-keys.ts';
import type { ProviderConfig } from '../../config.ts';
import type { DoctorWorld } from '../world.ts';
import { isAskedFor } from './found.ts';

/** Every account has an address of its own there, and its keys are still its keys. */
const OWN_ADDRESSES = 'azure';

/** A provider's key as somebody wrote it down. */
export interface KeyEntry {
  readonly provider: string;
  /** What protocol it speaks; a key's shape is that of its kind. */
  readonly kind: string;
  /** The variable, or the file, that holds it. */
  readonly source: string;
  /** As it stands there: with what was pasted along. Never told. */
  readonly raw: string;
  /** It goes to the provider's usual address: another server may take any key. */
  readonly isUsual: boolean;
}

/** The keys that the gateway would read, each once: of the configured providers, and those of the environment. */
export function keyEntries(world: DoctorWorld): readonly KeyEntry[] {
  const configured = world.config.ok ? world.config.config.providers : [];
  const known = configured.flatMap((one) => configuredKeys(one, world));
  const rest = WELL_KNOWN.filter(({ id }) => !configured.some((one) => one.id === id)).flatMap(({ id, access }) => {
    const source = access?.keyVariables?.find((name) => isSet(name, world.env));
    const raw = source === undefined ? undefined : world.env[source];
    return source === undefined || !raw ? [] : [{ provider: id, kind: id, source, raw, isUsual: !access?.keyless }];
  });
  return [...known, ...rest].filter(({ provider }) => isAskedFor(world, provider));
}

function configuredKeys(one: ProviderConfig, { env }: DoctorWorld): readonly KeyEntry[] {
  const { id, kind, keySource, pool, secret, baseUrl, played } = one;
  if (keySource === undefined) return [];
  const { baseUrl: usual, keyless } = PROVIDERS.find((provider) => provider.id === kind)?.access ?? {};
  const isUsual = played === undefined && !keyless && (usual === baseUrl || kind === OWN_ADDRESSES);
  const keys = pool === undefined ? [[keySource, secret] as const] : Object.entries(pool).map(sourceOf);
  return keys.map(([source, read]) => ({ provider: id, kind, source, raw: env[source] || read, isUsual }));
}

/** Credentials of a pool are named `provider:source`. */
function sourceOf([credential, secret]: readonly [string, string]): readonly [string, string] {
  return [credential.slice(credential.indexOf(':') + 1), secret];
}
