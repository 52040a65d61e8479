import { CANARY, type Planted } from './planted.ts';
import { badly, well } from './well-io.ts';

const DATABASE = {
  ONETAKE_DATABASE_URL: `postgres://onetake:${CANARY}@db.example:5432/onetake`,
  ONETAKE_ASSETS: 'DIR/shared',
};
const PUBLIC = { ONETAKE_PUBLIC_URL: 'https://images.example' };
const CALLERS = { ONETAKE_API_KEYS: `app:${CANARY}-0f9e8d7c6b5a` };

/** What can be wrong with the machine and what the gateway stands on. */
export const MACHINE_FAULTS: readonly Planted[] = [
  {
    name: 'a full disk',
    io: { disk: async () => well({ freeBytes: 200e6, totalBytes: 500e9 }) },
    finds: 'data.disk-full',
    says: /200 MB of 500.0 GB/,
    advice: /retention\.bytes/,
    exit: 2,
  },
  {
    name: 'a full disk beside a file that cannot be read',
    yaml: 'routes: [\n',
    io: { disk: async () => well({ freeBytes: 200e6, totalBytes: 500e9 }) },
    finds: 'data.disk-full',
    advice: /retention\.bytes/,
    exit: 2,
  },
  {
    name: 'a disk that is nearly full',
    io: { disk: async () => well({ freeBytes: 4e9, totalBytes: 500e9 }) },
    finds: 'data.disk-low',
    advice: /retention\.bytes/,
    exit: 1,
  },
  {
    name: 'a disk that takes no more bytes',
    io: { write: async () => badly('ENOSPC') },
    finds: 'data.disk-full',
    advice: /Make room/,
    exit: 2,
  },
  {
    name: 'a data directory that cannot be written',
    io: { write: async () => badly('EACCES', 'EACCES: permission denied') },
    finds: 'data.unwritable',
    advice: /ONETAKE_DATA/,
    exit: 2,
  },
  {
    name: 'a data directory that others can read',
    io: { stat: async () => well({ kind: 'directory', mode: 0o755, bytes: 4096, ownerId: 1000 }) },
    finds: 'data.mode',
    says: /0755/,
    advice: /Take their rights away/,
    exit: 1,
  },
  {
    name: 'a data directory of somebody else',
    io: { stat: async () => well({ kind: 'directory', mode: 0o700, bytes: 4096, ownerId: 0 }) },
    finds: 'data.owner',
    advice: /as its owner/,
    exit: 1,
  },
  {
    name: 'a file where the data directory should be',
    io: { stat: async () => well({ kind: 'file', mode: 0o600, bytes: 3, ownerId: 1000 }) },
    finds: 'data.no-directory',
    advice: /ONETAKE_DATA/,
    exit: 2,
  },
  {
    name: 'a share for pictures that is not mounted',
    env: DATABASE,
    io: (dir) => ({
      stat: async (path) =>
        path === `${dir}/shared`
          ? badly('ENOENT')
          : well({ kind: 'directory', mode: 0o700, bytes: 4096, ownerId: 1000 }),
    }),
    finds: 'assets.missing',
    advice: /mounted/,
    exit: 1,
  },
  {
    name: 'a share for pictures that cannot be written',
    env: DATABASE,
    io: (dir) => ({ write: async (path) => (path === `${dir}/shared` ? badly('EROFS') : well({})) }),
    finds: 'assets.unwritable',
    advice: /Mount it/,
    exit: 2,
  },
  {
    name: 'a database that refuses the password',
    env: DATABASE,
    io: { database: async () => badly('28P01', `password authentication failed`) },
    finds: 'database.unreachable',
    says: /db\.example:5432\/onetake: it refuses the password/,
    advice: /Correct the password/,
    exit: 2,
  },
  {
    name: 'a database that is not there',
    env: DATABASE,
    io: { database: async () => badly('ECONNREFUSED') },
    finds: 'database.unreachable',
    advice: /Start PostgreSQL/,
    exit: 2,
  },
  {
    name: 'an old database',
    env: DATABASE,
    io: { database: async () => well({ version: '12.22', ms: 2, maxConnections: 100, connections: 5 }) },
    finds: 'database.version',
    advice: /13 or later/,
    exit: 2,
  },
  {
    name: 'a database far away',
    env: DATABASE,
    io: { database: async () => well({ version: '16.4', ms: 140, maxConnections: 100, connections: 5 }) },
    finds: 'database.slow',
    advice: /near it/,
    exit: 1,
  },
  {
    name: 'a database without connections left',
    env: DATABASE,
    io: { database: async () => well({ version: '16.4', ms: 2, maxConnections: 100, connections: 97 }) },
    finds: 'database.connections',
    says: /3 of 100/,
    advice: /max_connections/,
    exit: 1,
  },
  {
    name: 'a shared database without shared pictures',
    env: { ONETAKE_DATABASE_URL: DATABASE.ONETAKE_DATABASE_URL },
    finds: 'database.assets-not-shared',
    advice: /one shared directory/,
    exit: 1,
  },
  {
    name: 'a port that another program holds',
    io: { listen: async () => badly('EADDRINUSE') },
    finds: 'ports.in-use',
    advice: /ONETAKE_PORT/,
    exit: 2,
  },
  {
    name: 'a second gateway on the port of the first',
    gateway: { dataDir: '/srv/other' },
    finds: 'ports.other-gateway',
    says: /works on \/srv\/other/,
    advice: /another port/,
    exit: 1,
  },
  {
    name: 'a port that needs rights',
    env: { ONETAKE_PORT: '443' },
    io: { listen: async () => badly('EACCES') },
    finds: 'ports.privileged',
    advice: /1024 or more/,
    exit: 2,
  },
  {
    name: 'an address that is not this machine’s',
    env: { ONETAKE_HOST: '192.0.2.9', ...CALLERS, ...PUBLIC },
    io: { listen: async () => badly('EADDRNOTAVAIL') },
    finds: 'ports.address',
    advice: /ONETAKE_HOST/,
    exit: 2,
  },
  {
    name: 'certificates that nobody checks',
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    finds: 'environment.tls-unchecked',
    advice: /NODE_EXTRA_CA_CERTS/,
    exit: 2,
  },
  {
    name: 'authorities from a file that is not there',
    env: { NODE_EXTRA_CA_CERTS: '/etc/ssl/ours.pem' },
    io: {
      stat: async (path) =>
        path.endsWith('.pem') ? badly('ENOENT') : well({ kind: 'directory', mode: 0o700, bytes: 4096 }),
    },
    finds: 'environment.extra-authorities',
    advice: /Correct the path/,
    exit: 1,
  },
  {
    name: 'an old Node',
    io: { process: async () => ({ nodeVersion: '20.11.0' }) },
    finds: 'environment.node',
    advice: /Install Node 24/,
    exit: 2,
  },
  {
    name: 'few open files',
    io: { process: async () => ({ nodeVersion: '24.4.0', maxOpenFiles: 256 }) },
    finds: 'environment.open-files',
    advice: /Raise the limit/,
    exit: 1,
  },
];
