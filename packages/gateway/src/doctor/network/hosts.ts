import { type Connection, isPublicAddress } from '@onetake/core';
import { isLoopback } from '../../config/environment.ts';
import { protocolOf } from '../../config/protocols.ts';
import type { DoctorWorld } from '../world.ts';

/** One server of a configured provider. */
export interface ProviderHost {
  /** What findings call it: the provider's id, with the host where it has several. */
  readonly subject: string;
  readonly id: string;
  /** The protocol it speaks. */
  readonly kind: string;
  readonly url: URL;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly isTls: boolean;
  /** The provider's own public address, which everybody calls. */
  readonly isUsual: boolean;
  readonly isLoopback: boolean;
  /** How it is called, once per key. */
  readonly calls: readonly Call[];
}

export interface Call {
  /** The subject, with the name of the key where there are several; never the key. */
  readonly subject: string;
  readonly connection: Connection;
}

/** Software that people run themselves. */
const LOCAL_KINDS: readonly string[] = [
  'comfyui',
  'automatic1111',
  'stable-diffusion-cpp',
  'localai',
  'ollama',
  'vllm',
  'lmstudio',
];

/** Every server that is called, of the one provider that was asked for, or of all; those the sandbox plays are not. */
export function hostsOf({ config, catalogue, options }: DoctorWorld): readonly ProviderHost[] {
  if (!config.ok || catalogue === undefined) return [];
  return config.config.providers.flatMap((configured) => {
    const connection = catalogue.connections.find(({ id }) => id === configured.id);
    const isLeftOut = options.provider !== undefined && options.provider !== configured.id;
    if (connection === undefined || configured.played !== undefined || isLeftOut) return [];
    const addresses = Object.values(configured.hosts ?? { only: configured.baseUrl });
    return addresses.map((baseUrl) => hostOf({ ...connection, baseUrl }, configured.kind, addresses.length > 1));
  });
}

function hostOf(connection: Connection, kind: string, isOneOfSeveral: boolean): ProviderHost {
  const url = new URL(connection.baseUrl);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const subject = isOneOfSeveral ? `${connection.id} (${url.host})` : connection.id;
  return {
    subject,
    id: connection.id,
    kind,
    url,
    hostname,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    isTls: url.protocol === 'https:',
    isUsual: isUsualHost(kind, hostname),
    isLoopback: isLoopback(hostname),
    calls: callsOf(connection, subject),
  };
}

function isUsualHost(kind: string, hostname: string): boolean {
  const usual = protocolOf(kind)?.access?.baseUrl;
  return usual !== undefined && new URL(usual).hostname === hostname && !isLoopback(hostname);
}

function callsOf(connection: Connection, subject: string): readonly Call[] {
  const { pool, hosts: _hosts, ...one } = connection;
  if (pool === undefined) return [{ subject, connection: one }];
  return Object.entries(pool).map(([credential, secret]) => ({
    subject: credential,
    connection: { ...one, secret },
  }));
}

export function isLocalKind(kind: string): boolean {
  return LOCAL_KINDS.includes(kind);
}

/** Whether the name is one that the whole internet knows, as far as a name tells. */
export function looksPublic(hostname: string): boolean {
  if (isLoopback(hostname)) return false;
  if (/^[\d.]+$/.test(hostname) || hostname.includes(':')) return isPublicAddress(hostname);
  return hostname.includes('.') && !/\.(?:local|localdomain|internal|lan|home|corp|test|invalid|arpa)$/i.test(hostname);
}
