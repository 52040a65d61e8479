import type { Check, Finding } from '../check.ts';
import { hostsOf, looksPublic, type ProviderHost } from './hosts.ts';

interface KnownHosts {
  /** Where its API is, as a whole host name. */
  readonly api: RegExp;
  /** Its other hosts end so, and are not the API. */
  readonly domain: RegExp;
  readonly write: string;
  /** What the path begins with, where the API has it nowhere else. */
  readonly version?: string;
}

/** By protocol, where a provider's hosts are known; the addresses are those of `access` and of the providers' references. */
const KNOWN: Readonly<Record<string, KnownHosts>> = {
  openai: {
    api: /^(?:(?:us|eu)\.)?api\.openai\.com$/,
    domain: /(?:^|\.)openai\.com$|(?:^|\.)chatgpt\.com$/,
    write: 'https://api.openai.com/v1',
    version: '/v1',
  },
  azure: {
    api: /\.(?:openai\.azure\.com|services\.ai\.azure\.com|cognitiveservices\.azure\.com|azure-api\.net|openai\.azure\.us)$/,
    domain: /(?:^|\.)azure\.com$|(?:^|\.)openai\.com$|(?:^|\.)microsoft\.com$/,
    write: 'https://<resource>.openai.azure.com',
  },
  google: {
    api: /^generativelanguage\.googleapis\.com$/,
    domain: /(?:^|\.)googleapis\.com$|(?:^|\.)google\.com$|(?:^|\.)google\.dev$/,
    write: 'https://generativelanguage.googleapis.com/v1beta',
    version: '/v1',
  },
  fal: { api: /^queue\.fal\.run$/, domain: /(?:^|\.)fal\.(?:run|ai)$/, write: 'https://queue.fal.run' },
  bfl: { api: /^api(?:\.\w+)?\.bfl\.(?:ai|ml)$/, domain: /(?:^|\.)bfl\.(?:ai|ml)$/, write: 'https://api.bfl.ai' },
  stability: { api: /^api\.stability\.ai$/, domain: /(?:^|\.)stability\.ai$/, write: 'https://api.stability.ai' },
  replicate: {
    api: /^api\.replicate\.com$/,
    domain: /(?:^|\.)replicate\.com$/,
    write: 'https://api.replicate.com/v1',
    version: '/v1',
  },
  xai: { api: /(?:^|\.)api\.x\.ai$/, domain: /(?:^|\.)x\.ai$/, write: 'https://api.x.ai/v1', version: '/v1' },
  leonardo: {
    api: /^cloud\.leonardo\.ai$/,
    domain: /(?:^|\.)leonardo\.ai$/,
    write: 'https://cloud.leonardo.ai/api/rest/v1',
    version: '/api/rest/v1',
  },
  bedrock: {
    api: /^bedrock-runtime(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com$|\.vpce\.amazonaws\.com$/,
    domain: /(?:^|\.)amazonaws\.com$|(?:^|\.)aws\.amazon\.com$/,
    write: 'https://bedrock-runtime.<region>.amazonaws.com',
  },
};

const ENDPOINTS =
  /\/(?:images\/(?:generations|edits|variations)|chat\/completions|completions|responses|embeddings|models|predictions)$/;
const REPEATED_VERSION = /\/(v\d+(?:beta\d*)?)\/\1(?:\/|$)/;

/** What an address itself shows, before anything is sent there. */
export const BASE_URL: Check = {
  id: 'base-url',
  title: 'addresses',
  async run(world) {
    return hostsOf(world).flatMap((host) => {
      const found = [unreadable, endpoint, versionTwice, wrongHost, versionMissing, plainHttp].flatMap((look) => {
        const finding = look(host);
        return finding ? [finding] : [];
      });
      // The first says what to write; the others would be said of the same mistake.
      const ok: Finding = {
        id: 'base-url.ok',
        level: 'ok',
        subject: host.subject,
        message: `${written(host)} reads well`,
      };
      return found.slice(0, 1).concat(found.length === 0 ? [ok] : []);
    });
  },
};

type Look = (host: ProviderHost) => Finding | undefined;

const unreadable: Look = (host) =>
  /%20|%22|%27|"|'|\s/.test(host.url.pathname)
    ? wrong(
        host,
        'base-url.stray-characters',
        'has a blank or a quote in it',
        host.url.href.replaceAll(/%2[027]|["'\s]/g, ''),
      )
    : undefined;

const endpoint: Look = (host) =>
  ENDPOINTS.test(path(host))
    ? wrong(
        host,
        'base-url.endpoint',
        'ends in an endpoint, which Onetake adds itself',
        written(host).replace(ENDPOINTS, ''),
      )
    : undefined;

const versionTwice: Look = (host) =>
  REPEATED_VERSION.test(path(host))
    ? wrong(host, 'base-url.version-twice', 'has its version twice', written(host).replace(REPEATED_VERSION, '/$1'))
    : undefined;

const wrongHost: Look = (host) => {
  const known = knownOf(host);
  if (known === undefined || known.api.test(host.hostname) || !known.domain.test(host.hostname)) return undefined;
  return wrong(
    host,
    'base-url.wrong-host',
    `is another host of the provider than its API (${host.hostname})`,
    known.write,
  );
};

const versionMissing: Look = (host) => {
  const known = knownOf(host);
  const isThere = known?.version === undefined || path(host).startsWith(known.version);
  if (known === undefined || isThere || !known.api.test(host.hostname)) return undefined;
  return wrong(host, 'base-url.version-missing', `lacks ${new URL(known.write).pathname}`, known.write);
};

const plainHttp: Look = (host) => {
  if (host.isTls || !looksPublic(host.hostname)) return undefined;
  const secured = written(host).replace(/^http:/, 'https:');
  const finding = wrong(host, 'base-url.plain-http', 'sends the key unencrypted over the internet', secured);
  // A provider answers http with a redirect, which no call follows; a server of one's own may have nothing else.
  const isProviders = host.isUsual || knownOf(host)?.api.test(host.hostname) === true;
  return isProviders ? finding : { ...finding, level: 'warning' };
};

function knownOf({ kind }: ProviderHost): KnownHosts | undefined {
  const name = kind === 'openai-responses' ? 'openai' : kind;
  return Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
}

function path({ url }: ProviderHost): string {
  return url.pathname.replace(/\/+$/, '');
}

function written({ url }: ProviderHost): string {
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function wrong(host: ProviderHost, id: string, why: string, better: string): Finding {
  const { subject, id: provider } = host;
  return {
    id,
    level: 'broken',
    subject,
    message: `${written(host)} ${why}`,
    advice: `Write ${better} in providers.${provider}.base_url, or in the variable that sets it.`,
    fix: `providers:\n  ${provider}: { base_url: ${better} }`,
  };
}
