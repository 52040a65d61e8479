import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** IPv4 that is not the public internet: the IANA special-purpose registry, multicast, and Azure's metadata host. */
const DENIED_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Global unicast, and the two prefixes that carry an IPv4 address in their last 32 bits (mapped, and RFC 6052's NAT64). */
const EMBEDDING_PREFIXES = ['::ffff:', '64:ff9b::'] as const;
const ALLOWED_IPV6: readonly (readonly [string, number])[] = [
  ['2000::', 3],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
];

/** Inside global unicast: protocol assignments with Teredo and ORCHID, documentation (two), and 6to4. */
const DENIED_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const denied = new BlockList();
for (const [network, bits] of DENIED_IPV4) {
  denied.addSubnet(network, bits, 'ipv4');
  for (const prefix of EMBEDDING_PREFIXES) denied.addSubnet(`${prefix}${network}`, 96 + bits, 'ipv6');
}
for (const [network, bits] of DENIED_IPV6) denied.addSubnet(network, bits, 'ipv6');

const allowedIpv6 = new BlockList();
for (const [network, bits] of ALLOWED_IPV6) allowedIpv6.addSubnet(network, bits, 'ipv6');

/** Whether an IP literal (no brackets) is an address of the public internet; false for anything else. */
export function isPublicAddress(ip: string): boolean {
  if (ip.includes('%')) return false;
  const family = isIP(ip);
  if (family === 4) return !denied.check(ip, 'ipv4');
  return family === 6 && allowedIpv6.check(ip, 'ipv6') && !denied.check(ip, 'ipv6');
}

/** The message withholds the address, so that a caller cannot map a private network by asking. */
export function addressDenied(hostname: string): Error {
  const rule = 'only addresses of the public internet are fetched; use a URL whose host is public';
  return Object.assign(new Error(`The host ${JSON.stringify(hostname)} is not public: ${rule}.`), {
    code: 'ADDRESS_DENIED',
  });
}

/**
 * A lookup for `net.connect` that fails unless every address is public. The socket connects to the very addresses
 * returned here, so a second DNS answer cannot slip in between check and use.
 */
export function publicLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      const [first] = addresses;
      const allPublic = addresses.every(({ address }) => isPublicAddress(address));
      if (first === undefined || !allPublic) return callback(addressDenied(hostname), []);
      if (options.all === true) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}
