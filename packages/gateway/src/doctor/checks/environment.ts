import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { fine } from './found.ts';

/** What `engines` of the package says. */
export const LEAST_NODE = 24;
const LEAST_FILES = 1_024;
/** No clock that is right shows an earlier time to a program written then. */
const WRITTEN_AT = Date.UTC(2026, 10, 1);
const YEARS_MS = 10 * 365 * 86_400_000;

/** What Node and the system are told that calls to providers feel. */
export const ENVIRONMENT: Check = {
  id: 'environment',
  title: 'environment',
  async run(world) {
    const { nodeVersion, maxOpenFiles } = await world.io.process();
    const found = [
      ...nodeFindings(nodeVersion),
      ...tlsFindings(world),
      ...(await authorityFindings(world)),
      ...fileFindings(maxOpenFiles),
      ...clockFindings(world.io.now()),
    ];
    return found.length > 0 ? found : [fine('environment.well', `Node ${nodeVersion}`)];
  },
};

function nodeFindings(version: string): readonly Finding[] {
  if (Number.parseInt(version, 10) >= LEAST_NODE) return [];
  const message = `this is Node ${version}; Onetake is made for ${LEAST_NODE} and later`;
  return [finding('node', 'broken', message, `Install Node ${LEAST_NODE} or later.`)];
}

function tlsFindings({ env }: DoctorWorld): readonly Finding[] {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return [];
  const message = 'NODE_TLS_REJECT_UNAUTHORIZED=0: no certificate is checked';
  const advice =
    'Unset it: whoever stands between here and a provider can take your keys. For an authority of your own set NODE_EXTRA_CA_CERTS.';
  return [{ ...finding('tls-unchecked', 'broken', message, advice), fix: 'unset NODE_TLS_REJECT_UNAUTHORIZED' }];
}

async function authorityFindings({ env, io }: DoctorWorld): Promise<readonly Finding[]> {
  const path = env.NODE_EXTRA_CA_CERTS;
  if (!path) return [];
  const file = await io.stat(path);
  if (file.ok && file.value.kind !== 'directory') return [];
  const why = file.ok ? 'it is a directory' : file.code;
  const message = `NODE_EXTRA_CA_CERTS names ${path}, which cannot be read (${why}): Node goes on without it`;
  const advice =
    'Correct the path to a PEM file, or unset it: servers with certificates of that authority are refused.';
  return [finding('extra-authorities', 'warning', message, advice)];
}

function fileFindings(most: number | undefined): readonly Finding[] {
  if (most === undefined || most >= LEAST_FILES) return [];
  const message = `only ${most} files and connections may be open at once`;
  return [
    { ...finding('open-files', 'warning', message, 'Raise the limit before the start.'), fix: 'ulimit -n 65536' },
  ];
}

function clockFindings(now: number): readonly Finding[] {
  if (now >= WRITTEN_AT && now <= WRITTEN_AT + YEARS_MS) return [];
  const message = `the clock of this machine says ${new Date(now).toISOString().slice(0, 10)}`;
  const advice = 'Set the clock, best by a time service: certificates, budgets and signatures go by it.';
  return [{ ...finding('clock', 'broken', message, advice), fix: 'sudo timedatectl set-ntp true' }];
}

function finding(id: string, level: Finding['level'], message: string, advice: string): Finding {
  return { id: `environment.${id}`, level, message, advice };
}
