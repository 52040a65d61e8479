import { z } from 'zod';
import { parseDuration } from '../alerts/durations.ts';
import { RULE_NAMES } from '../alerts/rules.ts';

const MAX_CHANNELS = 20;
const MAX_REMINDERS = 10;
const MAX_REQUESTS = 1_000_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONTH_MS = 31 * DAY_MS;
const MAX_WINDOW_MS = 30 * DAY_MS;
const DEFAULTS = { everyMs: 15_000, recoverAfterMs: 120_000, remindersMs: [HOUR_MS, 4 * HOUR_MS, DAY_MS] };

/** `30s`, `5m`, `2h`, `1d`. */
const duration = (from: number, to: number, range: string) => {
  const error = `a duration from ${range}, such as 30s, 5m, 2h or 1d`;
  return z.string({ error }).transform((text, context) => {
    const read = parseDuration(text);
    if (read !== undefined && read >= from && read <= to) return read;
    context.addIssue({ code: 'custom', message: error, input: text });
    return z.NEVER;
  });
};

const THRESHOLD = 'a number, a share such as 20%, or a duration such as 60s';
const threshold = z.union([z.number(), z.string()], { error: THRESHOLD });
const MIN_REQUESTS = `a whole number of requests from 1 to ${MAX_REQUESTS}`;

const rule = z.strictObject(
  {
    above: threshold.exactOptional(),
    below: threshold.exactOptional(),
    for: duration(0, DAY_MS, '0s to 1d').exactOptional(),
    window: duration(60_000, MAX_WINDOW_MS, '1m to 30d').exactOptional(),
    min_requests: z
      .int({ error: MIN_REQUESTS })
      .min(1, { error: MIN_REQUESTS })
      .max(MAX_REQUESTS, { error: MIN_REQUESTS })
      .exactOptional(),
  },
  { error: 'on, off, or a map of above, for, window and min_requests' },
);

/** YAML 1.2 reads `on` as a string, older tools write it as a boolean. */
const onOff = z.union([z.boolean(), z.enum(['on', 'off'])]).transform((value) => value === true || value === 'on');

const VARIABLE = 'the name of an environment variable in capitals, such as SLACK_WEBHOOK_URL';
const variableName = z.string({ error: VARIABLE }).regex(/^[A-Z_][A-Z0-9_]{0,99}$/, { error: VARIABLE });

const channel = z.strictObject(
  {
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { error: 'a name of lower-case letters, digits and dashes' }),
    kind: z.enum(['slack', 'discord', 'webhook'], { error: 'slack, discord or webhook' }),
    url: z.string({ error: 'an absolute http or https URL' }).exactOptional(),
    url_env: variableName.exactOptional(),
    secret_env: variableName.exactOptional(),
  },
  { error: 'a map of name, kind and url or url_env' },
);

/** The section `alerts`; the rules about thresholds, addresses and secrets are in `alerts.ts`. */
export const alerts = z.strictObject(
  {
    rules: z
      .partialRecord(
        z.enum(RULE_NAMES),
        z.union([onOff, rule], { error: 'on, off, or a map of above, for and window' }),
        {
          error: 'a map of rules',
        },
      )
      .default({}),
    channels: z
      .array(channel, { error: 'a list of channels' })
      .max(MAX_CHANNELS, { error: `at most ${MAX_CHANNELS} channels` })
      .default([]),
    every: duration(100, HOUR_MS, '100ms to 1h').default(DEFAULTS.everyMs),
    recover_after: duration(0, DAY_MS, '0s to 1d').default(DEFAULTS.recoverAfterMs),
    reminders: z
      .array(duration(60_000, MONTH_MS, '1m to 31d'), { error: 'a list of durations such as [1h, 4h, 24h]' })
      .min(1, { error: 'at least one duration' })
      .max(MAX_REMINDERS, { error: `at most ${MAX_REMINDERS} durations` })
      .default(DEFAULTS.remindersMs),
  },
  { error: 'a map' },
);

/** The keys that may stand below `alerts` at this path. */
export function alertKeys([section, name]: readonly PropertyKey[]): readonly string[] {
  if (section === 'rules') return name === undefined ? RULE_NAMES : Object.keys(rule.shape);
  return Object.keys(section === 'channels' ? channel.shape : alerts.shape);
}
