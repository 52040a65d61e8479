import { dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import { readDatabaseUrl } from '../../store/postgres/connection.ts';
import type { Check, Finding } from '../check.ts';
import type { DatabaseFacts, DoctorWorld } from '../world.ts';
import { fine, ownConfig, unread } from './found.ts';

const LEAST_VERSION = 13;
const SLOW_MS = 50;
/** What one gateway opens: four that read, and three. */
const OWN_CONNECTIONS = 7;

/** The database that several gateways share, or the file of one. */
export const DATABASE: Check = {
  id: 'database',
  title: 'database',
  async run(world) {
    const config = ownConfig(world);
    if (config === undefined) return unread('database');
    const { databaseUrl, assetsDir, dataDir } = config;
    if (databaseUrl === undefined) return fileFindings(config, world);
    const { name } = readDatabaseUrl(databaseUrl);
    const answered = await world.io.database(databaseUrl);
    const shared = dirname(assetsDir) === dataDir ? [NOT_SHARED] : [];
    if (!answered.ok) return [unreachable(name, answered.code), ...shared];
    return [...factFindings(name, answered.value), ...shared];
  },
};

async function fileFindings({ dataDir }: Config, { io, gateway }: DoctorWorld): Promise<readonly Finding[]> {
  const path = join(dataDir, 'onetake.db');
  const file = await io.stat(path);
  const use = gateway === undefined ? '' : ', in use by the gateway that runs';
  const state = file.ok ? `is there${use}` : 'is made at the first start';
  return [fine('database.file', `SQLite: ${path} ${state}`)];
}

const NOT_SHARED: Finding = {
  id: 'database.assets-not-shared',
  level: 'warning',
  subject: 'ONETAKE_ASSETS',
  message: 'several gateways may share this database, and ONETAKE_ASSETS does not say where they share pictures',
  advice:
    'Point ONETAKE_ASSETS of every gateway at one shared directory: they do not find each other’s pictures otherwise.',
  fix: 'export ONETAKE_ASSETS=/mnt/shared/onetake-assets',
};

/** What the server, or the way to it, says by its code, and who can mend it. */
const WAYS_OUT: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  ECONNREFUSED: ['nothing listens there', 'Start PostgreSQL, or correct host and port in ONETAKE_DATABASE_URL.'],
  ENOTFOUND: ['its host is not known', 'Correct the host in ONETAKE_DATABASE_URL, or the name service.'],
  EAI_AGAIN: ['the name service does not answer for its host', 'Look at the name service of this machine.'],
  TIMEOUT: ['it does not answer', 'Look for a firewall between here and there, and whether the server is overloaded.'],
  ETIMEDOUT: ['it does not answer', 'Look for a firewall between here and there.'],
  ECONNRESET: ['it hung up', 'Look at its log; a server that wants TLS needs ?sslmode=require in the URL.'],
  '28P01': ['it refuses the password', 'Correct the password in ONETAKE_DATABASE_URL; / # @ are written %2F %23 %40.'],
  '28000': ['it refuses the user', 'Let the user in by pg_hba.conf, or add ?sslmode=require if it wants TLS.'],
  '3D000': ['the database does not exist', 'Create it, or correct its name in ONETAKE_DATABASE_URL.'],
  '53300': ['it has no connection left', 'Raise max_connections, or close other programs’ connections.'],
  '57P03': ['it is starting up', 'Wait until it takes connections.'],
  '42501': ['the user lacks a right', 'Grant the user CREATE on the database.'],
};

function unreachable(name: string, code: string): Finding {
  const [what, advice] = WAYS_OUT[code] ?? [
    'it cannot be asked',
    'Correct ONETAKE_DATABASE_URL, or look at the server’s log.',
  ];
  const fix = code === '3D000' ? { fix: `createdb ${name.slice(name.lastIndexOf('/') + 1)}` } : {};
  const message = `PostgreSQL at ${name}: ${what} (${code})`;
  return { id: 'database.unreachable', level: 'broken', subject: name, message, advice, ...fix, facts: { code } };
}

function factFindings(name: string, facts: DatabaseFacts): readonly Finding[] {
  const { version, ms, maxConnections, connections } = facts;
  const found: Finding[] = [];
  const add = (id: string, level: Finding['level'], message: string, advice: string) =>
    found.push({ id: `database.${id}`, level, subject: name, message: `PostgreSQL at ${name} ${message}`, advice });
  if (Number.parseInt(version, 10) < LEAST_VERSION)
    add('version', 'broken', `is version ${version}`, `Use PostgreSQL ${LEAST_VERSION} or later.`);
  if (ms > SLOW_MS)
    add(
      'slow',
      'warning',
      `takes ${ms} ms for the smallest question`,
      'Put the gateway near it: every step of a picture waits for it.',
    );
  const left = maxConnections - (connections ?? 0);
  if (left < OWN_CONNECTIONS) {
    const message = `has ${Math.max(0, left)} of ${maxConnections} connections left, and a gateway opens ${OWN_CONNECTIONS}`;
    add('connections', 'warning', message, 'Raise max_connections, or close other programs’ connections.');
  }
  if (found.length > 0) return found;
  return [
    fine(
      'database.answers',
      `PostgreSQL ${version} at ${name} answers in ${ms} ms, ${left} connections are left`,
      name,
    ),
  ];
}
