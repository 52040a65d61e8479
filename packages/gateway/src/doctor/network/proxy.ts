import type { Environment } from '../../config.ts';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { hostsOf, looksPublic } from './hosts.ts';

/** A proxy that a variable names. */
export interface NamedProxy {
  /** The variable. */
  readonly name: string;
  readonly value: string;
}

const NAMES = ['HTTPS_PROXY', 'ALL_PROXY', 'HTTP_PROXY'] as const;
const MAX_PROBED = 3;

/** Those that other programs on this machine take for calls, the first first; the lower-case spelling wins, as in curl. */
export function proxiesIn(env: Environment): readonly NamedProxy[] {
  return NAMES.flatMap((upper) =>
    [upper.toLowerCase(), upper].flatMap((name) => {
      const value = env[name]?.trim();
      return value ? [{ name, value }] : [];
    }),
  );
}

/** Variables that name a proxy, which Onetake does not use: see `systemIo`. */
export const PROXY: Check = {
  id: 'proxy',
  title: 'proxy',
  needs: 'network',
  async run(world) {
    const found = proxiesIn(world.env);
    if (found.length === 0)
      return [{ id: 'proxy.none', level: 'ok', message: 'no proxy variable is set, and calls go out directly' }];
    const dead = await Promise.all(uniqueIn(found).map((one) => lookAtProxy(one, world)));
    const direct = await lookAtDirect(found, world);
    return [...direct, ...conflicts(world.env), ...dead.flat()];
  },
};

function uniqueIn(found: readonly NamedProxy[]): readonly NamedProxy[] {
  return found
    .filter((one, index) => found.findIndex(({ value }) => value === one.value) === index)
    .slice(0, MAX_PROBED);
}

/** Whether calls arrive all the same, which is what counts. */
async function lookAtDirect(found: readonly NamedProxy[], { io, ...world }: DoctorWorld): Promise<readonly Finding[]> {
  const subject = [...new Set(found.map(({ name }) => name))].join(', ');
  const outside = hostsOf({ io, ...world }).find(({ hostname }) => looksPublic(hostname));
  const unused = 'Onetake takes no proxy from the environment: it calls providers directly';
  if (outside === undefined)
    return [{ id: 'proxy.not-used', level: 'ok', subject, message: `${unused}, and none is outside this network` }];
  const reached = await io.connect(outside.hostname, outside.port);
  if (reached.ok)
    return [{ id: 'proxy.not-used', level: 'ok', subject, message: `${unused}, and ${outside.hostname} is reached` }];
  return [
    {
      id: 'proxy.only-way-out',
      level: 'broken',
      subject,
      message: `${unused}, and ${outside.hostname} is not reached that way (${reached.code})`,
      advice:
        'Let this machine out to the providers’ hosts on port 443, or run a server that forwards to the provider and name it in base_url (ONETAKE_<PROVIDER>_BASE_URL).',
    },
  ];
}

function conflicts(env: Environment): readonly Finding[] {
  return [...NAMES, 'NO_PROXY'].flatMap((upper): readonly Finding[] => {
    const [one, other] = [env[upper]?.trim(), env[upper.toLowerCase()]?.trim()];
    if (!one || !other || one === other) return [];
    return [
      {
        id: 'proxy.conflict',
        level: 'warning',
        subject: upper,
        message: `${upper} and ${upper.toLowerCase()} are both set and differ: programs on this machine take different ways`,
        advice: 'Give both the same value or unset one of them; what works in curl then works in other programs too.',
        fix: `unset ${upper}`,
      },
    ];
  });
}

/** Said of the address alone: a proxy's URL may hold a password. */
async function lookAtProxy({ name, value }: NamedProxy, { io }: DoctorWorld): Promise<readonly Finding[]> {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  if (url === null || url.hostname === '')
    return [
      {
        id: 'proxy.unreadable',
        level: 'warning',
        subject: name,
        message: `${name} is set and holds no address`,
        advice: 'Write it as http://host:port, or unset it.',
        fix: `unset ${name}`,
      },
    ];
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : url.protocol.startsWith('socks') ? 1080 : 80);
  const reached = await io.connect(url.hostname.replace(/^\[(.*)\]$/, '$1'), port);
  if (reached.ok) return [];
  return [
    {
      id: 'proxy.dead',
      level: 'warning',
      subject: name,
      message: `the proxy that ${name} names, ${url.hostname}:${port}, does not answer (${reached.code})`,
      advice:
        'Onetake does not use it, but whatever else runs here does (curl, npm, applications): correct the address or unset it.',
      fix: `unset ${name}`,
    },
  ];
}
