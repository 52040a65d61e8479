import { lookup } from 'node:dns/promises';
import { connect as connectTcp, createServer, isIP } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { Client } from 'pg';
import { readDatabaseUrl } from '../store/postgres/connection.ts';
import { realFetch } from './real-fetch.ts';
import { diskOf, processFacts, statOf, writeInto } from './real-files.ts';
import { attempt } from './tried.ts';
import type { Certificate, DatabaseFacts, DoctorIo } from './world.ts';

/** The real world. Every step ends within `timeoutMs`; an exchange may have a time of its own. */
export function realIo({ timeoutMs }: { readonly timeoutMs: number }): DoctorIo {
  return {
    now: () => Date.now(),
    resolve: (host) =>
      attempt(timeoutMs, async () => (await lookup(host, { all: true })).map(({ address }) => address)),
    connect: (host, port) => attempt(timeoutMs, (signal) => connectAndClose(host, port, signal)),
    handshake: (host, port) => attempt(timeoutMs, (signal) => handshake(host, port, signal)),
    fetch: (request) => attempt(request.timeoutMs ?? timeoutMs, (signal) => realFetch(request, signal)),
    listen: (host, port) => attempt(timeoutMs, () => listenAndClose(host, port)),
    disk: (path) => attempt(timeoutMs, () => diskOf(path)),
    stat: (path) => attempt(timeoutMs, () => statOf(path)),
    write: (directory) => attempt(timeoutMs, () => writeInto(directory)),
    database: (url) => attempt(timeoutMs, () => askDatabase(url, timeoutMs)),
    process: processFacts,
  };
}

function connectAndClose(host: string, port: number, signal: AbortSignal): Promise<{ readonly ms: number }> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, signal });
    socket.on('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve({ ms: Math.round(performance.now() - startedAt) });
    });
  });
}

function handshake(host: string, port: number, signal: AbortSignal): Promise<Certificate> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connectTls({ host, port, ...name, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    const stop = () => socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', stop, { once: true });
    socket.on('error', reject);
    socket.once('secureConnect', () => {
      resolve(certificateOf(socket));
      signal.removeEventListener('abort', stop);
      socket.destroy();
    });
  });
}

function certificateOf(socket: TLSSocket): Certificate {
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  // What Node gives as an Error by its types is the code as a string.
  const reason: unknown = socket.authorizationError;
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validFrom: Date.parse(certificate.valid_from ?? ''),
    validTo: Date.parse(certificate.valid_to ?? ''),
    authorized: socket.authorized,
    ...(!socket.authorized && { reason: reason instanceof Error ? reason.message : String(reason) }),
  };
}

function nameOf(names: PeerCertificate['subject'] | undefined): string {
  const name = names?.CN ?? names?.O ?? '';
  return Array.isArray(name) ? name.join(', ') : name;
}

function listenAndClose(host: string, port: number): Promise<Record<string, never>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve({})));
  });
}

async function askDatabase(url: string, timeoutMs: number): Promise<DatabaseFacts> {
  const { config } = readDatabaseUrl(url);
  const client = new Client({ ...config, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
  client.on('error', () => {});
  await client.connect();
  try {
    const startedAt = performance.now();
    await client.query('SELECT 1');
    const ms = Math.round(performance.now() - startedAt);
    const { rows } = await client.query(
      `SELECT current_setting('server_version') AS version, current_setting('max_connections')::int AS most,
        (SELECT count(*)::int FROM pg_stat_activity) AS open`,
    );
    const [row] = rows;
    const version = String(row?.version).split(' ', 1)[0] ?? '';
    return { version, ms, maxConnections: Number(row?.most), connections: Number(row?.open) };
  } finally {
    await client.end().catch(() => {});
  }
}
