import { DEFAULT_MAX_PAID, DEFAULT_MAX_RUNGS, MAX_RUNGS, RUNGS } from '@onetake/core';
import { z } from 'zod';

const MAX_PAID = 10;
const MAX_PATH_CHARS = 1_000;
const RULES = 'on, off or the path of a JSON file';

const whole = (to: number, unit: string) => {
  const error = `a whole number of ${unit} from 1 to ${to}`;
  return z.int({ error }).min(1, { error }).max(to, { error });
};

/** What may be tried after a refusal, in this order, and how much of it. */
export const refusals = z.strictObject(
  {
    ladder: z
      .array(z.enum(RUNGS, { error: `one of ${RUNGS.join(', ')}` }), { error: `a list of ${RUNGS.join(', ')}` })
      .min(1, { error: 'at least one rung' })
      .max(MAX_RUNGS, { error: `at most ${MAX_RUNGS} rungs` }),
    max_rungs: whole(MAX_RUNGS, 'rungs').default(DEFAULT_MAX_RUNGS),
    max_paid: whole(MAX_PAID, 'attempts').default(DEFAULT_MAX_PAID),
  },
  { error: 'a map' },
);

export const REFUSAL_KEYS: readonly string[] = Object.keys(refusals.shape);

/** YAML 1.2 reads `on` as a string, older tools write it as a boolean; anything else is a path. */
export const promptRules = z
  .union([z.boolean(), z.string().min(1).max(MAX_PATH_CHARS)], { error: RULES })
  .transform((value) => (typeof value === 'boolean' ? (value ? 'on' : 'off') : value));
