import type { Check, Finding } from '../check.ts';
import { fine, ownConfig, unread } from './found.ts';

const UNPRIVILEGED = 1024;

/** Whether the gateway can listen where it is told to, or does. */
export const PORTS: Check = {
  id: 'ports',
  title: 'port',
  async run(world) {
    const { io, gateway } = world;
    const config = ownConfig(world);
    if (config === undefined) return unread('ports');
    const { host, port } = config;
    if (port === 0) return [fine('ports.any', 'a free port is taken at the start (ONETAKE_PORT=0)')];
    const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    if (gateway !== undefined && holds(gateway.url, port)) {
      const isOther = gateway.dataDir !== undefined && gateway.dataDir !== config.dataDir;
      return [
        isOther ? other(place, gateway.dataDir, config.dataDir) : fine('ports.own', `a gateway listens at ${place}`),
      ];
    }
    const tried = await io.listen(host, port);
    if (tried.ok) return [fine('ports.free', `${place} is free`)];
    return [blocked(tried.code, host, port, place)];
  },
};

function other(place: string, theirs: string, ours: string): Finding {
  return {
    ...{ id: 'ports.other-gateway', level: 'warning', subject: place },
    message: `the gateway at ${place} works on ${theirs}, and this environment names ${ours}`,
    advice: 'Set ONETAKE_DATA and ONETAKE_PORT as that gateway has them, or another port for a second one.',
  };
}

/** The gateway that was asked is the one of this port. */
function holds(url: string, port: number): boolean {
  return Number(new URL(url).port) === port;
}

function blocked(code: string, host: string, port: number, place: string): Finding {
  const finding = { level: 'broken', subject: place } as const;
  if (code === 'EADDRINUSE') {
    const message = `${place} is held by another program`;
    const advice = 'End what listens there, or set ONETAKE_PORT to another port; 0 takes a free one.';
    return { ...finding, id: 'ports.in-use', message, advice, fix: `ss -ltnp 'sport = :${port}'   # who holds it` };
  }
  if (code === 'EACCES' && port < UNPRIVILEGED) {
    const message = `${place} needs rights that this user lacks`;
    const advice = `Set ONETAKE_PORT to ${UNPRIVILEGED} or more, and let a proxy in front take port ${port}.`;
    return { ...finding, id: 'ports.privileged', message, advice, fix: 'export ONETAKE_PORT=8484' };
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const message = `${host} is no address of this machine (${code})`;
    const advice = 'Set ONETAKE_HOST to 127.0.0.1, to an address of this machine, or to 0.0.0.0 for all of them.';
    return { ...finding, id: 'ports.address', message, advice, fix: 'export ONETAKE_HOST=127.0.0.1' };
  }
  const message = `nothing can listen at ${place} (${code})`;
  return {
    ...finding,
    id: 'ports.blocked',
    message,
    advice: 'Set ONETAKE_HOST and ONETAKE_PORT to where this user may listen.',
  };
}
