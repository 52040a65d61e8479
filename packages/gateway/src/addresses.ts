import { isLoopback } from './config/environment.ts';

/** The gateway's own address, empty until it listens, and the one it has from outside, if any. */
export interface Addresses {
  readonly own: string;
  readonly public: string | undefined;
}

/** Where a provider at `baseUrl` reaches this gateway; undefined where it cannot. */
export function reachableAt(baseUrl: string, { own, public: outside }: Addresses): string | undefined {
  const base = isLoopback(new URL(baseUrl).hostname) ? own : outside;
  return base === '' ? undefined : base;
}
