import type { Check, Finding } from '../check.ts';
import type { DoctorResponse, DoctorWorld } from '../world.ts';
import { askFree } from './ask-provider.ts';
import { hostsOf, type ProviderHost } from './hosts.ts';

const WARN_MS = 30_000;
/** Signatures of webhooks and of requests are refused beyond this. */
const BROKEN_MS = 300_000;

/** This machine's clock against those of the servers that answered. */
export const CLOCK: Check = {
  id: 'clock',
  title: 'clock',
  needs: 'network',
  async run(world) {
    const outside = hostsOf(world).filter(({ isLoopback }) => !isLoopback);
    const skews = (await Promise.all(outside.map((host) => skewAt(host, world)))).filter((skew) => skew !== undefined);
    const median = skews.toSorted((one, other) => one - other)[Math.floor(skews.length / 2)];
    if (median === undefined)
      return [{ id: 'clock.unknown', level: 'skipped', message: 'no server outside this machine told its time' }];
    return [told(median, skews.length)];
  },
};

/** How far this machine is ahead, to the second that the header has; negative where it is behind. Any answer tells it. */
async function skewAt({ kind, url, calls }: ProviderHost, world: DoctorWorld): Promise<number | undefined> {
  const [call] = calls;
  const asked = call && (await askFree(world, call.connection, kind));
  if (asked !== undefined) return skewOf(asked.responses[0], asked.at);
  const answer = await world.io.fetch({ url: `${url.origin}/` });
  return skewOf(answer.ok ? answer.value : undefined, world.io.now());
}

/** What a cache kept tells when it was made. */
function skewOf(response: DoctorResponse | undefined, at: number): number | undefined {
  const told = Date.parse(response?.headers.date ?? '');
  return Number.isFinite(told) && response?.headers.age === undefined ? at - told : undefined;
}

function told(skewMs: number, servers: number): Finding {
  const offMs = Math.abs(skewMs);
  const facts = { skewMs, servers };
  if (offMs <= WARN_MS)
    return {
      id: 'clock.ok',
      level: 'ok',
      message: `it agrees with ${servers === 1 ? 'the server that was' : `the ${servers} servers that were`} asked`,
      facts,
    };
  const amount = offMs < 120_000 ? `${Math.round(offMs / 1_000)} s` : `${Math.round(offMs / 60_000)} min`;
  const isBroken = offMs > BROKEN_MS;
  return {
    id: isBroken ? 'clock.wrong' : 'clock.skewed',
    level: isBroken ? 'broken' : 'warning',
    message: `the clock of this machine is ${amount} ${skewMs > 0 ? 'ahead' : 'behind'}, by what ${servers} of the servers asked say`,
    advice: isBroken
      ? 'Set the clock by NTP: signatures of webhooks are refused beyond 5 minutes, and certificates seem expired or not yet valid.'
      : 'Turn NTP on before it grows: beyond 5 minutes signatures of webhooks are refused.',
    fix: 'timedatectl set-ntp true',
    facts,
  };
}
