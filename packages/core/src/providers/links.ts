import { type Asset, IMAGE_TYPES } from '../images/asset.ts';
import type { CallContext } from './provider.ts';

/** Where the provider can fetch one of our stored pictures; undefined where it cannot reach us. */
export function assetLink({ assetsUrl }: CallContext, { hash, type }: Asset): string | undefined {
  return assetsUrl === undefined ? undefined : `${assetsUrl}/${hash}.${IMAGE_TYPES[type].extension}`;
}

/**
 * An address that a provider told us to call with its key: its own configured one, or https on a host under one of
 * `hosts`; undefined for any other, which is never called.
 */
export function trustedUrl(text: string | undefined, { baseUrl }: CallContext, hosts: readonly string[] = []) {
  const url = text === undefined || text === '' ? null : URL.parse(text, `${baseUrl}/`);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  if (url.origin === new URL(baseUrl).origin) return url.href;
  const isKnown = hosts.some((host) => url.hostname === host || url.hostname.endsWith(`.${host}`));
  return url.protocol === 'https:' && isKnown ? url.href : undefined;
}
