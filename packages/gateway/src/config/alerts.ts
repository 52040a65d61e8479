import { amountText } from '../alerts/amounts.ts';
import { parseDuration } from '../alerts/durations.ts';
import type { RuleSettings } from '../alerts/rules.ts';
import { type ActiveRules, RULE_NAMES, RULES, type Rule, type RuleName, withSettings } from '../alerts/rules.ts';
import { readEndpoint } from '../webhooks/endpoint.ts';
import { isWebhookSecret, SECRET_RULE } from '../webhooks/secrets.ts';
import type { Environment } from './environment.ts';
import { keyFromEnvironment } from './keys.ts';
import { fault, type Report } from './report.ts';
import type { ConfigFile } from './schema.ts';

export type ChannelKind = 'slack' | 'discord' | 'webhook';

/** Where alerts are told. The address is a secret: whoever has it can write there. */
export interface AlertChannel {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly url: string;
  /** `whsec_…`; of a webhook alone. */
  readonly secret?: string;
}

export interface AlertConfig {
  /** Those that are on. */
  readonly rules: ActiveRules;
  readonly channels: readonly AlertChannel[];
  readonly everyMs: number;
  readonly recoverAfterMs: number;
  /** Waits before the first, second … reminder; the last one holds from then on. */
  readonly remindersMs: readonly number[];
}

interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly report: Report;
}

type AlertSection = ConfigFile['alerts'];
type RuleEntry = Exclude<AlertSection['rules'][RuleName], undefined>;
type ChannelEntry = AlertSection['channels'][number];

/** Holds thresholds and addresses to their rules and reads the secrets. An address is never in a fault. */
export function readAlerts({ alerts }: Pick<ConfigFile, 'alerts'>, surroundings: Surroundings): AlertConfig {
  const { report } = surroundings;
  const rules: Partial<Record<RuleName, Rule>> = {};
  for (const name of RULE_NAMES) {
    const rule = readRule(name, alerts.rules[name] ?? true, report);
    if (rule) rules[name] = rule;
  }
  const names = alerts.channels.map(({ name }) => name);
  const channels = alerts.channels.flatMap((entry, index) => {
    const path = `alerts.channels.${index}`;
    if (names.indexOf(entry.name) !== index)
      report.faults.push(fault(`${path}.name`, 'a name that no other channel has', entry.name, 'rename one of them'));
    return readChannel(entry, path, surroundings) ?? [];
  });
  const { every: everyMs, recover_after: recoverAfterMs, reminders: remindersMs } = alerts;
  return { rules, channels, everyMs, recoverAfterMs, remindersMs };
}

function readRule(name: RuleName, entry: RuleEntry, report: Report): Rule | undefined {
  const rule: Rule = RULES[name];
  if (typeof entry === 'boolean') return entry ? rule : undefined;
  const path = `alerts.rules.${name}`;
  const other = rule.is === 'above' ? 'below' : 'above';
  if (entry[other] !== undefined)
    report.faults.push(
      `${path}.${other}: expected ${rule.is}, got ${other}; this rule fires ${rule.is} its threshold, so write it as ${rule.is}`,
    );
  const said = entry[rule.is];
  const threshold = said === undefined ? undefined : thresholdOf(said, rule);
  if (said !== undefined && threshold === undefined)
    report.faults.push(fault(`${path}.${rule.is}`, THRESHOLDS[rule.unit], said, `the default is ${defaultText(rule)}`));
  const settings: RuleSettings = {
    ...(threshold !== undefined && { threshold }),
    ...(entry.for !== undefined && { forMs: entry.for }),
    ...readStretch(path, entry, rule, report),
  };
  return withSettings(rule, settings);
}

/** Settings that only some rules have. */
function readStretch(path: string, entry: Exclude<RuleEntry, boolean>, rule: Rule, report: Report): RuleSettings {
  const { window: windowMs, min_requests: minRequests } = entry;
  const unknown = (name: string) =>
    report.faults.push(`${path}.${name}: expected nothing, got a value; this rule has no ${name}, so remove the line`);
  if (windowMs !== undefined && rule.windowMs === undefined) unknown('window');
  if (minRequests !== undefined && rule.minRequests === undefined) unknown('min_requests');
  // Requests are counted by the minute for an hour.
  if (windowMs !== undefined && rule.minRequests !== undefined && windowMs > HOUR_MS)
    report.faults.push(fault(`${path}.window`, 'a duration from 1m to 1h', amountText(windowMs, 'ms'), LOOK_BACK));
  return { ...(windowMs !== undefined && { windowMs }), ...(minRequests !== undefined && { minRequests }) };
}

const HOUR_MS = 3_600_000;
const LOOK_BACK = 'requests are counted for an hour, so choose a shorter one';
const MAX_COUNT = 1_000_000;
const MAX_DAYS = 3_650;
const DAY_MS = 86_400_000;

const THRESHOLDS: Readonly<Record<Rule['unit'], string>> = {
  share: 'a share above 0 and up to 1, such as 0.2 or 20%',
  ms: 'a duration from 1ms to 31d, such as 60s or 5m',
  count: `a whole number from 1 to ${MAX_COUNT}`,
  days: `a whole number of days from 0 to ${MAX_DAYS}`,
};

function thresholdOf(said: number | string, { unit }: Rule): number | undefined {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,3})?) ?%$/.exec(String(said)) ?? [];
  if (unit === 'share') {
    const share = percent === undefined ? said : Number(percent) / 100;
    return typeof share === 'number' && share > 0 && share <= 1 ? share : undefined;
  }
  if (unit === 'ms') {
    const ms = parseDuration(said);
    return ms !== undefined && ms >= 1 && ms <= 31 * DAY_MS ? ms : undefined;
  }
  const [least, most] = unit === 'days' ? [0, MAX_DAYS] : [1, MAX_COUNT];
  return typeof said === 'number' && Number.isInteger(said) && said >= least && said <= most ? said : undefined;
}

function defaultText({ levels: [{ at }], unit }: Rule): string {
  return amountText(at, unit);
}

function readChannel(entry: ChannelEntry, path: string, surroundings: Surroundings): AlertChannel | undefined {
  const { name, kind } = entry;
  const url = readAddress(entry, path, surroundings);
  const secret = readSecret(entry, path, surroundings);
  if (url === undefined || (kind === 'webhook' && secret === undefined)) return undefined;
  return { name, kind, url, ...(secret !== undefined && { secret }) };
}

/** The operator's own word, so it may be of a private network, unlike what a request names. */
function readAddress(entry: ChannelEntry, path: string, { env, cwd, report }: Surroundings): string | undefined {
  const { url, url_env: variable } = entry;
  if ((url === undefined) === (variable === undefined)) {
    const got = url === undefined ? 'neither' : 'both';
    report.faults.push(`${path}: expected url or url_env, got ${got}; give one: a variable keeps the address secret`);
    return undefined;
  }
  const faults = report.faults.length;
  const text = url ?? keyFromEnvironment(variable ?? '', env, cwd, report)?.secret;
  const at = url === undefined ? `${path}.url_env` : `${path}.url`;
  if (text === undefined) {
    if (report.faults.length === faults)
      report.faults.push(`${at}: expected ${variable} to be set, got nothing; set it to the address of the channel`);
    return undefined;
  }
  const read = readEndpoint(text, true);
  if (read.ok) return read.url;
  report.faults.push(`${at}: expected ${read.expected}, got one that is not shown; ${read.advice}`);
  return undefined;
}

function readSecret(entry: ChannelEntry, path: string, { env, cwd, report }: Surroundings): string | undefined {
  const { kind, secret_env: variable } = entry;
  if (kind !== 'webhook') {
    if (variable !== undefined)
      report.faults.push(
        `${path}.secret_env: expected nothing, got a variable; ${kind} takes no secret: remove the line`,
      );
    return undefined;
  }
  if (variable === undefined) {
    report.faults.push(`${path}: expected secret_env, got nothing; its messages are signed with it, so ${MAKE_ONE}`);
    return undefined;
  }
  const faults = report.faults.length;
  const key = keyFromEnvironment(variable, env, cwd, report);
  if (key === undefined) {
    if (report.faults.length === faults)
      report.faults.push(`${path}.secret_env: expected ${variable} to be set, got nothing; ${MAKE_ONE}`);
    return undefined;
  }
  if (isWebhookSecret(key.secret)) return key.secret;
  report.faults.push(`${key.source}: expected ${SECRET_RULE}, got a value that is not shown; ${MAKE_ONE}`);
  return undefined;
}

const MAKE_ONE = 'make one with: echo "whsec_$(openssl rand -base64 32)"';
