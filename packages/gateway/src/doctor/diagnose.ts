import type { Check, Diagnosis, Finding, Level } from './check.ts';
import type { DoctorWorld } from './world.ts';

/** For one check, and for one exchange, connection or look of it. */
export const CHECK_TIMEOUT_MS = 15_000;
export const STEP_TIMEOUT_MS = 5_000;

const AT_ONCE = 8;
/** A job that is sent through a proxy takes as long as it is told to, and a picture its time; the rest surrounds it. */
const AROUND_ASKED_MS = 60_000;
const ASKED_MS = 180_000;
const MAX_WORDS = 300;

/** Runs the checks, eight at a time, each in bounded time. Never throws: a check that does is a finding. */
export async function diagnose(world: DoctorWorld, checks: readonly Check[]): Promise<Diagnosis> {
  const found: (readonly Finding[])[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < checks.length; index = next++) {
      const check = checks[index];
      if (check) found[index] = await look(check, world);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const findings = checks.flatMap(({ id: check }, index) => (found[index] ?? []).map((one) => ({ ...one, check })));
  return { findings, verdict: verdictOf(findings), at: world.io.now() };
}

function verdictOf(findings: readonly { readonly level: Level }[]): Diagnosis['verdict'] {
  if (findings.some(({ level }) => level === 'broken')) return 2;
  return findings.some(({ level }) => level === 'warning') ? 1 : 0;
}

async function look(check: Check, world: DoctorWorld): Promise<readonly Finding[]> {
  if (check.needs === 'network' && world.options.offline)
    return [{ id: `${check.id}.offline`, level: 'skipped', message: `${check.title}: not looked at (--offline)` }];
  const asked = check.needs === 'asked' ? Math.max(world.options.throughMs ?? 0, ASKED_MS) + AROUND_ASKED_MS : 0;
  const timeoutMs = Math.max(world.timeoutMs, asked);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => resolve([tooSlow(check, timeoutMs)]), timeoutMs);
  });
  try {
    return await Promise.race([check.run(world), late]);
  } catch (error) {
    return [failed(check, error)];
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow({ id, title }: Check, timeoutMs: number): Finding {
  return {
    id: `${id}.timed-out`,
    level: 'warning',
    message: `${title}: not finished after ${timeoutMs / 1000} s`,
    advice: 'Run the doctor again; if it stays so, what this check looks at hangs instead of answering.',
  };
}

function failed({ id, title }: Check, error: unknown): Finding {
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    id: 'doctor.failed',
    level: 'broken',
    subject: id,
    message: `${title}: the check itself failed (${words.slice(0, MAX_WORDS)})`,
    advice: 'This is a fault of the doctor, not of your set-up: please report it with this line.',
  };
}
