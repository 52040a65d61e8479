import { type LimitReading, type Limits, openaiTierLimits, type Rate, readLimits } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { askFree } from './ask-provider.ts';
import type { Balance } from './free-calls.ts';
import { hostsOf } from './hosts.ts';

/** What providers tell of balance and limits with their free answers. */
export const LIMITS: Check = {
  id: 'limits',
  title: 'balance and limits',
  needs: 'network',
  async run(world) {
    const looks = hostsOf(world).flatMap((host) =>
      host.calls.map(async ({ subject, connection }) => {
        const answer = await askFree(world, connection, host.kind);
        if (answer === undefined) return [];
        const told = answer.responses.flatMap(({ headers }) => readLimits(headers, '', world.io.now()));
        return [
          ...(answer.balance ? [balanceTold(subject, answer.balance)] : []),
          ...told.flatMap((reading) => usedUp(subject, reading, world.io.now())),
          ...told.flatMap((reading) => tooHigh(host.id, subject, reading, world)),
        ];
      }),
    );
    const found = (await Promise.all(looks)).flat();
    if (found.length > 0) return found;
    return [{ id: 'limits.untold', level: 'skipped', message: 'no provider told its limits or balance for free' }];
  },
};

function balanceTold(subject: string, { amount, unit, lowBelow }: Balance): Finding {
  const left = `${Math.round(amount * 100) / 100} ${unit}`;
  const facts = { amount, unit };
  if (amount <= 0)
    return {
      id: 'limits.balance-empty',
      level: 'broken',
      subject,
      message: `the account at ${subject} has ${left} left`,
      advice: 'Add credit in the provider’s console; until then every picture is refused.',
      facts,
    };
  if (amount < lowBelow)
    return {
      id: 'limits.balance-low',
      level: 'warning',
      subject,
      message: `the account at ${subject} has ${left} left`,
      advice: 'Add credit in the provider’s console before it runs out, or turn on automatic top-up there.',
      facts,
    };
  return { id: 'limits.balance', level: 'ok', subject, message: `the account at ${subject} has ${left} left`, facts };
}

function usedUp(subject: string, { dimension, remaining, resetAt }: LimitReading, now: number): readonly Finding[] {
  if (remaining !== 0) return [];
  const until = resetAt === undefined ? '' : `, for another ${Math.max(1, Math.ceil((resetAt - now) / 1_000))} s`;
  return [
    {
      id: 'limits.used-up',
      level: 'warning',
      subject,
      message: `${subject} allows its key no more ${dimension} now${until}`,
      advice: 'Something else may use the same key: give this gateway a key, or a project, of its own.',
    },
  ];
}

const DIMENSIONS = ['requests', 'images', 'tokens'] as const;

/** Configured limits, and those of the tier that was told, against what the provider says itself. */
function tooHigh(provider: string, subject: string, told: LimitReading, { config }: DoctorWorld): readonly Finding[] {
  const { dimension, limit, windowMs } = told;
  const rated = DIMENSIONS.find((one) => one === dimension);
  if (!config.ok || limit === undefined || windowMs === undefined || rated === undefined) return [];
  const { limits: configured, openaiTier } = config.config;
  const own = Object.entries(configured).filter(([target]) => target.startsWith(`${provider}/`));
  const above = own.filter(([, given]) => isAbove(given, rated, limit, windowMs));
  const tier =
    openaiTier === undefined || provider !== 'openai' ? undefined : openaiTierLimits('gpt-image-2', openaiTier);
  const found: Finding[] = above.slice(0, 1).map(([target]) => ({
    id: 'limits.too-high',
    level: 'warning',
    subject: target,
    message: `limits.${target} allows more ${rated} than ${subject} says it does: ${limit} in ${windowMs / 1_000} s`,
    advice: 'Lower it to what the provider says, or leave it out: limits are learned from answers.',
    fix: `limits:\n  ${target}: { ${rated}: ${limit}/${windowMs / 1_000}s }`,
  }));
  if (tier === undefined || !isAbove(tier, rated, limit, windowMs)) return found;
  return [
    ...found,
    {
      id: 'limits.wrong-tier',
      level: 'warning',
      subject: 'OPENAI_TIER',
      message: `OPENAI_TIER=${openaiTier} starts from more ${rated} than the account has: ${limit} in ${windowMs / 1_000} s`,
      advice: 'Set OPENAI_TIER to the usage tier that OpenAI’s console shows under Limits, or unset it.',
    },
  ];
}

function isAbove(given: Limits, dimension: (typeof DIMENSIONS)[number], limit: number, windowMs: number): boolean {
  return (given[dimension] ?? []).some((rate: Rate) => rate.count / rate.windowMs > (limit / windowMs) * 1.01);
}
