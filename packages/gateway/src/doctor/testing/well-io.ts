import type { DoctorIo, DoctorResponse, Tried } from '../world.ts';

/** Saturday, 21 November 2026, noon UTC. */
export const TODAY = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;

/** A world in which everything answers well and at once; what is told otherwise does. */
export function wellIo(otherwise: Partial<DoctorIo> = {}): DoctorIo {
  return {
    now: () => TODAY,
    resolve: async () => well(['104.18.6.192']),
    connect: async () => well({ ms: 12 }),
    handshake: async (host) =>
      well({
        subject: host,
        issuer: 'WE1',
        validFrom: TODAY - 30 * DAY_MS,
        validTo: TODAY + 60 * DAY_MS,
        authorized: true,
      }),
    fetch: async () => well(answer(200, {})),
    listen: async () => well({}),
    disk: async () => well({ freeBytes: 400e9, totalBytes: 500e9 }),
    stat: async () => well({ kind: 'directory', mode: 0o700, bytes: 4096, ownerId: 1000 }),
    write: async () => well({}),
    database: async () => well({ version: '16.4', ms: 2, maxConnections: 100, connections: 7 }),
    process: async () => ({ nodeVersion: '24.4.0', userId: 1000, maxOpenFiles: 1_048_576 }),
    ...otherwise,
  };
}

export function well<Value>(value: Value): Tried<Value> {
  return { ok: true, value };
}

/** What could not be done, by its code. */
export function badly(code: string, message = code): Tried<never> {
  return { ok: false, code, message };
}

/** An answer as it comes from a server whose clock is right. */
export function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): DoctorResponse {
  return {
    status,
    headers: { date: new Date(TODAY).toUTCString(), 'content-type': 'application/json', ...headers },
    text: typeof body === 'string' ? body : JSON.stringify(body),
    firstByteMs: 40,
    ms: 60,
  };
}
