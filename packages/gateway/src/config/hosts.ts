import { hostCredential } from '@onetake/core';
import { fault, type Report } from './report.ts';

/** Where a provider is: one address, or a pool of servers by credential, the first of which is `baseUrl`. */
export interface Hosts {
  readonly baseUrl: string;
  readonly hosts?: Readonly<Record<string, string>>;
}

export const MAX_HOSTS = 100;

/** The addresses that a setting names: a list in the file, with commas between them in a variable. */
export function addressesIn(value: string | readonly string[]): readonly string[] {
  if (typeof value !== 'string') return value;
  const parts = value.split(',').map((part) => part.trim());
  return parts.length === 1 ? [value] : parts.filter((part) => part !== '');
}

/**
 * Brings the addresses of one provider together; undefined after a fault. Each server of a pool is a credential of its
 * own, named by host and port, so no two may share them; which of several keys a server wants is nothing to guess.
 */
export function readHosts(
  { id, setting, hasKeyPool }: { readonly id: string; readonly setting: string; readonly hasKeyPool: boolean },
  addresses: readonly (string | undefined)[],
  report: Report,
): Hosts | undefined {
  const known = addresses.filter((address) => address !== undefined);
  const [baseUrl] = known;
  if (baseUrl === undefined || known.length < addresses.length) return undefined;
  if (known.length === 1) return { baseUrl };
  if (known.length > MAX_HOSTS) {
    report.faults.push(`${setting}: expected at most ${MAX_HOSTS} addresses, got ${known.length}`);
    return undefined;
  }
  if (hasKeyPool) {
    const ways = `give one key for all of them, or make a provider of each; a route may name them all`;
    report.faults.push(`providers.${id}: expected several addresses or several keys, got both; ${ways}`);
    return undefined;
  }
  const hosts: Record<string, string> = {};
  for (const address of known) {
    const name = hostCredential(id, address);
    if (Object.hasOwn(hosts, name)) {
      report.faults.push(fault(setting, 'a host and port once each', address, `${hosts[name]} is the same server`));
      return undefined;
    }
    hosts[name] = address;
  }
  return { baseUrl, hosts };
}
