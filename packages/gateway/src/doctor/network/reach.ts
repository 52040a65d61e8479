import { isPublicAddress } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { lookAtCertificate } from './certificate.ts';
import { hostsOf, isLocalKind, type ProviderHost } from './hosts.ts';
import { proxiesIn } from './proxy.ts';

/** A name, a connection and a handshake that take longer than this cost every fresh call as much. */
const SLOW_MS = 5_000;

/** Companies reach these by private addresses of their own. */
const PRIVATE_LINKS: readonly string[] = ['azure', 'bedrock'];

/** Where filters send names that nobody shall reach. */
const NOWHERE = /^(?:0\.0\.0\.0|::)$/;
const LOOPBACK = /^(?:127\.|::1$)/;

/** Name, connection and certificate of every server that is called. */
export const REACH: Check = {
  id: 'reach',
  title: 'way to providers',
  needs: 'network',
  async run(world) {
    // What people run themselves has a check of its own, which says how it is started.
    const hosts = hostsOf(world).filter(({ kind, isTls }) => isTls || !isLocalKind(kind));
    return (await Promise.all(hosts.map((host) => lookAtHost(host, world)))).flat();
  },
};

/** What stands in the way to one server, or that nothing does. */
export async function lookAtHost(host: ProviderHost, world: DoctorWorld): Promise<readonly Finding[]> {
  const { io } = world;
  const startedAt = io.now();
  const named = await lookUp(host, world);
  if ('finding' in named) return [named.finding];
  const dnsMs = io.now() - startedAt;
  const connected = await io.connect(host.hostname, host.port);
  if (!connected.ok) return [...named.also, notConnected(host, connected.code, named.addresses, world)];
  const tcpMs = connected.value.ms;
  if (!host.isTls) return [...named.also, well(host, { dnsMs, tcpMs })];
  const tlsAt = io.now();
  const shaken = await io.handshake(host.hostname, host.port);
  const tlsMs = io.now() - tlsAt;
  if (!shaken.ok) return [...named.also, noHandshake(host, shaken.code)];
  const trouble = lookAtCertificate(host, shaken.value, io.now());
  return [...named.also, ...(trouble ? [trouble] : [well(host, { dnsMs, tcpMs, tlsMs })])];
}

type Named =
  | { readonly finding: Finding }
  | { readonly addresses: readonly string[]; readonly also: readonly Finding[] };

async function lookUp(host: ProviderHost, { io }: DoctorWorld): Promise<Named> {
  if (isAddress(host.hostname)) return { addresses: [host.hostname], also: [] };
  const resolved = await io.resolve(host.hostname);
  if (!resolved.ok) return { finding: noName(host, resolved.code) };
  const addresses = resolved.value;
  const inside = addresses.find((address) => !isPublicAddress(address));
  if (inside === undefined || PRIVATE_LINKS.includes(host.kind)) return { addresses, also: [] };
  // A server of one's own may be anywhere but nowhere.
  if (NOWHERE.test(inside) || (host.isUsual && LOOPBACK.test(inside))) return { finding: blocked(host, inside) };
  return { addresses, also: host.isUsual ? [redirected(host, inside)] : [] };
}

function isAddress(hostname: string): boolean {
  return /^[\d.]+$/.test(hostname) || hostname.includes(':');
}

function noName({ subject, hostname, isUsual }: ProviderHost, code: string): Finding {
  if (code === 'ENOTFOUND')
    return {
      id: 'reach.unknown-name',
      level: 'broken',
      subject,
      message: `nobody knows the name ${hostname} (ENOTFOUND)`,
      advice: isUsual
        ? 'The name is right, so this machine asks a name server that cannot see the internet: check its DNS (/etc/resolv.conf, the VPN, the container’s network).'
        : 'Correct the host in base_url; if it is right, check which name server this machine asks.',
      fix: `nslookup ${hostname}`,
    };
  return {
    id: 'reach.no-dns',
    level: 'broken',
    subject,
    message: `the name server did not answer for ${hostname} (${code})`,
    advice:
      'DNS itself is down or cut off from this machine: check /etc/resolv.conf, the network of the container, and that port 53 is let out.',
    fix: `nslookup ${hostname}`,
  };
}

function blocked({ subject, hostname }: ProviderHost, address: string): Finding {
  return {
    id: 'reach.blocked-name',
    level: 'broken',
    subject,
    message: `${hostname} leads to ${address}, which is this machine itself: a filter or a hosts file blocks the name`,
    advice: 'Take the name out of /etc/hosts, or let your DNS filter (Pi-hole, AdGuard, the company’s) pass it.',
    fix: `grep -n ${hostname} /etc/hosts`,
  };
}

function redirected({ subject, hostname }: ProviderHost, address: string): Finding {
  return {
    id: 'reach.private-address',
    level: 'warning',
    subject,
    message: `${hostname} leads to ${address}, a private address, though it is a public service`,
    advice:
      'Somebody between answers for it (split DNS, a company gateway, or a hijack): ask who runs that address before it sees your key.',
  };
}

function notConnected(
  { subject, hostname, port, isUsual }: ProviderHost,
  code: string,
  addresses: readonly string[],
  world: DoctorWorld,
): Finding {
  const place = `${hostname}:${port}`;
  const base = { level: 'broken', subject, fix: `nc -vz ${hostname} ${port}` } as const;
  const isOnlyIpv6 = addresses.length > 0 && addresses.every((address) => address.includes(':'));
  if (isOnlyIpv6 && !isAddress(hostname))
    return {
      ...base,
      id: 'reach.only-ipv6',
      message: `${hostname} has IPv6 addresses alone here, and this machine cannot reach them (${code})`,
      advice:
        'Give the machine or container IPv6, or ask a name server that gives IPv4 addresses too (NAT64 without DNS64 looks like this).',
    };
  if (code === 'ECONNREFUSED')
    return {
      ...base,
      id: 'reach.refused',
      message: `${place} refuses connections`,
      advice: isUsual
        ? 'A public provider refuses nobody: a firewall on the way does, so let this machine out to it.'
        : 'Start what should listen there, or correct the port in base_url.',
    };
  const proxy = proxiesIn(world.env)[0];
  const direct =
    proxy === undefined
      ? 'let this machine out to it (firewall, security group, network policy of the container)'
      : `${proxy.name} is set, and Onetake calls directly, never through a proxy: let this machine out to it, or point base_url at a server that forwards`;
  const isSilent = code === 'TIMEOUT' || code === 'ETIMEDOUT';
  return {
    ...base,
    id: isSilent ? 'reach.timeout' : 'reach.unreachable',
    message: isSilent ? `${place} does not answer: the connection timed out` : `${place} cannot be reached (${code})`,
    advice: `${isSilent ? 'Packets to it are dropped' : 'There is no way to it from here'}: ${direct}.`,
  };
}

function noHandshake({ subject, hostname, port }: ProviderHost, code: string): Finding {
  const isPlain = /EPROTO|WRONG_VERSION|ERR_SSL/.test(code);
  return {
    id: isPlain ? 'reach.no-tls' : 'reach.tls-cut',
    level: 'broken',
    subject,
    message: isPlain
      ? `${hostname}:${port} accepts connections and speaks no TLS there (${code})`
      : `${hostname}:${port} accepts connections and the TLS handshake is cut off (${code})`,
    advice: isPlain
      ? 'Write http:// in base_url if the server is your own and speaks plain HTTP, or correct the port.'
      : 'A firewall that reads the name in the handshake does this: let the name pass, or reach it from another network.',
    fix: `openssl s_client -connect ${hostname}:${port} -servername ${hostname} </dev/null`,
  };
}

interface Times {
  readonly dnsMs: number;
  readonly tcpMs: number;
  readonly tlsMs?: number;
}

function well({ subject, hostname, port }: ProviderHost, times: Times): Finding {
  const totalMs = times.dnsMs + times.tcpMs + (times.tlsMs ?? 0);
  const spent = `name ${times.dnsMs} ms, connection ${times.tcpMs} ms${times.tlsMs === undefined ? '' : `, TLS ${times.tlsMs} ms`}`;
  if (totalMs <= SLOW_MS)
    return {
      id: 'reach.ok',
      level: 'ok',
      subject,
      message: `${hostname}:${port} is reached (${spent})`,
      facts: { ...times },
    };
  return {
    id: 'reach.slow',
    level: 'warning',
    subject,
    message: `${hostname}:${port} is reached in ${(totalMs / 1_000).toFixed(1)} s (${spent})`,
    advice: 'The largest part says where: a slow name server, a far or congested line, or something that inspects TLS.',
    facts: { ...times },
  };
}
