import type { Check, Finding } from '../check.ts';
import type { DoctorWorld, KeyFacts } from '../world.ts';
import { countText, fine, listed } from './found.ts';

const NEAR = 0.9;
const SOON_MS = 7 * 86_400_000;

/** Keys that will soon be refused, or are: near the end of their budget or of their life, and still in use. */
export const BUDGETS: Check = {
  id: 'budgets',
  title: 'keys and budgets',
  async run(world) {
    const { keys } = world.gateway ?? {};
    if (keys === undefined) return [];
    const found = [...keys.flatMap((key) => keyFindings(key, world)), ...unpriced(world)];
    if (found.length > 0) return found;
    return [
      fine(
        'budgets.well',
        keys.length === 0 ? 'no keys were made here' : `${countText(keys.length, 'key')}, none near its end`,
      ),
    ];
  },
};

function keyFindings(key: KeyFacts, world: DoctorWorld): readonly Finding[] {
  const { name, isRevoked } = key;
  const expiresAt = key.isBrowser ? undefined : key.expiresAt;
  const now = world.io.now();
  const uses = (world.gateway?.use ?? []).filter(({ group }) => group.key === name);
  const times = uses.reduce((sum, { requests }) => sum + requests, 0);
  const warn = (id: string, message: string, advice: string, fix?: string): Finding => ({
    ...{ id: `budgets.${id}`, level: 'warning', subject: name, message, advice },
    ...(fix !== undefined && { fix }),
  });
  const renew = `onetake keys create --name ${name}-2`;
  if (isRevoked || (expiresAt !== undefined && expiresAt <= now)) {
    if (times === 0) return [];
    const message = `${name} is ${isRevoked ? 'revoked' : 'expired'}, and was used ${times} times in the last 7 days`;
    return [warn('ended', message, 'Give its application another key: it gets 401 now.', renew)];
  }
  const found: Finding[] = [];
  if (expiresAt !== undefined && expiresAt - now < SOON_MS) {
    const on = new Date(expiresAt).toISOString().slice(0, 10);
    found.push(
      warn(
        'expiring',
        `${name} expires on ${on}`,
        'Make another key and give it to its application before then.',
        renew,
      ),
    );
  }
  return [...found, ...spentFindings(key, warn)];
}

type Warn = (id: string, message: string, advice: string) => Finding;

function spentFindings({ name, budget, images }: KeyFacts, warn: Warn): readonly Finding[] {
  const found: Finding[] = [];
  const judge = (share: number, used: string, per: string) => {
    // Of what may spend nothing at all no share is used: 0 of 0.
    if (Number.isNaN(share) || share < NEAR) return;
    const message = `${name} has used ${used} per ${per}`;
    const advice =
      share >= 1
        ? 'Raise its budget, or wait for the next one: it gets 402 until then.'
        : 'Raise its budget if that is meant: at its end it gets 402.';
    found.push(warn(share >= 1 ? 'spent' : 'nearly-spent', message, advice));
  };
  if (budget)
    judge(
      budget.usedMicroUsd / budget.microUsd,
      `${dollars(budget.usedMicroUsd)} of ${dollars(budget.microUsd)}`,
      budget.per,
    );
  if (images) judge(images.used / images.count, `${images.used} of ${images.count} images`, images.per);
  return found;
}

function unpriced({ gateway }: DoctorWorld): readonly Finding[] {
  const rows = (gateway?.use ?? []).filter(({ unpriced: count }) => count > 0);
  if (rows.length === 0) return [];
  const models = [...new Set(rows.flatMap(({ group }) => (group.model === undefined ? [] : [group.model])))];
  const message = `nobody knows the price of ${listed(models)}: what is counted as spent is too little by it`;
  const [first = 'provider/model'] = models;
  const fix = `models:\n  ${first}:\n    price: { per_image_usd: 0.04 }   # from its provider's price list`;
  const advice = 'Set the price under models: in onetake.yaml.';
  return [{ id: 'budgets.unpriced', level: 'warning', subject: first, message, advice, fix }];
}

function dollars(microUsd: number): string {
  return `$${(microUsd / 1e6).toFixed(2)}`;
}
