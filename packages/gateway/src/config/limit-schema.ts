import { type Limits, parseRate, type Rate } from '@onetake/core';
import { z } from 'zod';

const MAX_COUNT = 1_000_000_000;
const MAX_WINDOW_MS = 31 * 86_400_000;
const MAX_RATES = 4;
const MAX_TARGETS = 1_000;
const MAX_QUEUED = 1_000_000;
const RATE = 'a count and a window from 1ms to 31d, such as 5/60s';

/** `5/60s`: at most five in any sixty seconds. */
const rate = z.string({ error: RATE }).transform((value, context): Rate => {
  const read = parseRate(value);
  if (read !== undefined && read.count <= MAX_COUNT && read.windowMs <= MAX_WINDOW_MS) return read;
  context.addIssue({ code: 'custom', message: RATE, input: value });
  return z.NEVER;
});

/** One rate, or several that hold at once. */
const rates = z
  .union([rate, z.array(rate).min(1).max(MAX_RATES)], { error: `${RATE}, or a list of at most ${MAX_RATES}` })
  .transform((value) => (Array.isArray(value) ? value : [value]));

const CONCURRENCY = 'a whole number of requests in flight from 1 to 100000';

export const LIMIT_KEYS = ['requests', 'images', 'tokens', 'concurrency'] as const;

const limit = z
  .strictObject(
    {
      requests: rates.exactOptional(),
      images: rates.exactOptional(),
      tokens: rates.exactOptional(),
      concurrency: z
        .int({ error: CONCURRENCY })
        .min(1, { error: CONCURRENCY })
        .max(100_000, { error: CONCURRENCY })
        .exactOptional(),
    },
    { error: 'a map of requests, images, tokens and concurrency' },
  )
  .transform((value): Limits => value);

/** What providers allow, by target; `provider/*` for each of its models. */
export const limits = z
  .record(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}\/\S{1,200}$/, { error: 'a target such as openai/gpt-image-2, or openai/*' }),
    limit,
    { error: 'a map of targets' },
  )
  .refine((value) => Object.keys(value).length <= MAX_TARGETS, { error: `at most ${MAX_TARGETS} entries` })
  .default({});

const count = (most: number) => {
  const error = `a whole number of requests from 1 to ${most}`;
  return z.int({ error }).min(1, { error }).max(most, { error });
};

/** How much may wait, and run, here. */
export const queue = z.strictObject(
  {
    max_queued: count(MAX_QUEUED).default(100_000),
    max_queued_per_key: count(MAX_QUEUED).default(20_000),
    max_running_per_key: count(100_000).default(1_000),
  },
  { error: 'a map' },
);
