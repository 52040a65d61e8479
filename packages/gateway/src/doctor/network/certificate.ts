import type { Finding } from '../check.ts';
import type { Certificate } from '../world.ts';
import type { ProviderHost } from './hosts.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;
/** Certificates that live for days are renewed late on purpose. */
const SHARE_LEFT = 0.25;

/** Makers of software that opens TLS on its way, as they name themselves in certificates. */
const INTERCEPTORS =
  /zscaler|netskope|fortinet|fortigate|palo ?alto|umbrella|blue ?coat|symantec web|sophos|kaspersky|eset |avast|bitdefender|mcafee|skyhigh|forcepoint|websense|barracuda|check ?point|watchguard|sonicwall|mitmproxy|charles proxy|fiddler|portswigger|burp|squid|cato networks|iboss|lightspeed|securly|goguardian/i;
const UNKNOWN_ISSUER = /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)/;

type Looked = Pick<ProviderHost, 'subject' | 'hostname' | 'port' | 'isUsual'>;

/** What is wrong with a server's certificate at `now`; undefined for nothing. */
export function lookAtCertificate(host: Looked, certificate: Certificate, now: number): Finding | undefined {
  const { authorized, reason = '', validFrom } = certificate;
  const { subject, hostname } = host;
  if (authorized) return expiresSoon(host, certificate, now);
  const facts = { issuer: certificate.issuer, reason };
  const broken = { level: 'broken', subject, facts } as const;
  if (/NOT_YET_VALID/.test(reason) || validFrom > now)
    return {
      ...broken,
      id: 'reach.not-yet-valid',
      message: `the certificate of ${hostname} is valid from ${dayOf(validFrom)}, and this machine says it is ${dayOf(now)}`,
      advice: 'Set this machine’s clock (turn NTP on): certificates are seldom issued for the future.',
      fix: 'timedatectl set-ntp true',
    };
  if (/EXPIRED/.test(reason)) return expired(host, certificate, now, broken);
  if (/ALTNAME/.test(reason))
    return {
      ...broken,
      id: 'reach.wrong-name',
      message: `the certificate of ${hostname} is for another name (${certificate.subject || 'none told'})`,
      advice:
        'Correct the host in base_url; if it is right, something answers in its place: a captive portal, a proxy, a wrong DNS entry.',
    };
  if (INTERCEPTORS.test(certificate.issuer) || (UNKNOWN_ISSUER.test(reason) && host.isUsual))
    return {
      ...broken,
      id: 'reach.intercepted',
      message: `the certificate of ${hostname} comes from "${certificate.issuer}", whom this machine does not trust (${reason}): something between opens TLS`,
      advice:
        'Have the company’s root certificate as a PEM file and name it in NODE_EXTRA_CA_CERTS before Onetake starts, or have this host exempted from inspection.',
      fix: 'export NODE_EXTRA_CA_CERTS=/path/to/company-root.pem',
    };
  if (UNKNOWN_ISSUER.test(reason))
    return {
      ...broken,
      id: 'reach.self-signed',
      message: `the certificate of ${hostname} is signed by "${certificate.issuer}", whom this machine does not know (${reason})`,
      advice:
        'If the server is yours, name its certificate or your own authority’s in NODE_EXTRA_CA_CERTS before Onetake starts; a missing intermediate is mended at the server.',
      fix: 'export NODE_EXTRA_CA_CERTS=/path/to/root.pem',
    };
  return {
    ...broken,
    id: 'reach.untrusted',
    message: `the certificate of ${hostname} is not trusted (${reason || 'no reason told'})`,
    advice:
      'Look at the certificate that comes, and who issued it; if something between replaced it, have that removed.',
    fix: `openssl s_client -connect ${hostname}:${host.port} -servername ${hostname} </dev/null`,
  };
}

function expired(
  { hostname, isUsual }: Looked,
  { validTo }: Certificate,
  now: number,
  broken: Pick<Finding, 'level' | 'facts'> & { readonly subject: string },
): Finding {
  const mend = isUsual
    ? 'A large provider renews in time, so check this machine’s clock first, then its list of authorities (ca-certificates).'
    : 'Renew the certificate at the server; if it is not expired, check this machine’s clock.';
  return {
    ...broken,
    id: 'reach.expired',
    message: `the certificate of ${hostname} expired on ${dayOf(validTo)}; this machine says it is ${dayOf(now)}`,
    advice: mend,
  };
}

function expiresSoon(
  { subject, hostname }: Looked,
  { validFrom, validTo }: Certificate,
  now: number,
): Finding | undefined {
  const leftMs = validTo - now;
  if (!Number.isFinite(leftMs) || leftMs > Math.min(SOON_MS, (validTo - validFrom) * SHARE_LEFT)) return undefined;
  const days = Math.max(0, Math.floor(leftMs / DAY_MS));
  return {
    id: 'reach.expires-soon',
    level: 'warning',
    subject,
    message: `the certificate of ${hostname} expires on ${dayOf(validTo)}, in ${days} days`,
    advice: 'Whoever runs the server must renew it; after that day no call is sent there.',
    facts: { daysLeft: days },
  };
}

function dayOf(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 10) : 'an unknown day';
}
