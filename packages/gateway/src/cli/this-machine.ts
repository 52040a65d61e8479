import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '../config/environment.ts';

const EVERY_ADDRESS = ['0.0.0.0', '::'];

/** Whether a host, without brackets, is this machine for certain: its loopback, one of its addresses or its own name. */
export function isThisMachine(host: string): boolean {
  const name = host.toLowerCase();
  if (isLoopback(name) || EVERY_ADDRESS.includes(name) || name === hostname().toLowerCase()) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === name));
}
