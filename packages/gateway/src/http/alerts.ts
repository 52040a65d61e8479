import { type Io, isObject, type JsonObject, nearMatches } from '@onetake/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Alerts } from '../alerts/alerts.ts';
import { isRuleName, RULE_NAMES, type RuleName } from '../alerts/rules.ts';
import { ADMIN } from './admin.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface AlertRouteDeps {
  readonly alerts: Alerts;
  readonly io: Pick<Io, 'now'>;
}

const MINUTE_MS = 60_000;
const MAX_MINUTES = 10_080;
const MAX_SUBJECT_CHARS = 300;

/** What is watched, how it stands, and who is told: for administrators. */
export function addAlertRoutes(app: FastifyInstance, { alerts, io }: AlertRouteDeps): void {
  app.get('/v1/alerts', ADMIN, async () => ({
    object: 'list',
    data: await alerts.list(),
    channels: alerts.channels(),
    rules: alerts.rules(),
  }));

  app.post('/v1/alerts/test', ADMIN, async (request) => {
    const { channel } = fieldsOf(request, ['channel']);
    const names = alerts.channels().map(({ name }) => name);
    if (channel !== undefined && !names.some((name) => name === channel)) throw unknownChannel(channel, names);
    return { object: 'alert_test', results: await alerts.test(channel === undefined ? undefined : String(channel)) };
  });

  app.post('/v1/alerts/silence', ADMIN, async (request) => {
    const { rule, subject, minutes } = fieldsOf(request, ['rule', 'subject', 'minutes']);
    const until = io.now() + minutesOf(minutes) * MINUTE_MS;
    const about = subjectOf(subject);
    return alerts.silence({ rule: ruleOf(rule), until, ...(about !== undefined && { subject: about }) });
  });
}

function fieldsOf<Name extends string>(
  { body }: FastifyRequest,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  const given: JsonObject = isObject(body) ? body : {};
  const unknown = Object.keys(given)
    .find((key) => !names.some((name) => name === key))
    ?.slice(0, 64);
  if (unknown === undefined) return given as Partial<Record<Name, unknown>>;
  const message = `${unknown}: there is no such field here; there is ${names.join(', ')}`;
  throw new RequestProblem(400, 'unknown_parameter', message, { param: unknown });
}

function ruleOf(rule: unknown): RuleName {
  if (isRuleName(rule)) return rule;
  const near = typeof rule === 'string' ? nearMatches(rule, RULE_NAMES) : [];
  const wayOut = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'GET /v1/alerts lists them';
  throw invalidValue('rule', `${shown(rule)} is not one of ${RULE_NAMES.join(', ')}; ${wayOut}`);
}

function subjectOf(subject: unknown): string | undefined {
  if (subject === undefined || subject === null || (typeof subject === 'string' && subject.length <= MAX_SUBJECT_CHARS))
    return subject ?? undefined;
  throw invalidValue(
    'subject',
    `it is no text of up to ${MAX_SUBJECT_CHARS} characters; leave it out for all subjects`,
  );
}

function minutesOf(minutes: unknown): number {
  if (typeof minutes === 'number' && Number.isInteger(minutes) && minutes >= 0 && minutes <= MAX_MINUTES)
    return minutes;
  const rule = `a whole number from 1 to ${MAX_MINUTES} (a week), or 0, which ends a silence`;
  throw invalidValue('minutes', `${shown(minutes)} is not ${rule}; correct it`);
}

function unknownChannel(channel: unknown, names: readonly string[]): RequestProblem {
  const known = names.length === 0 ? 'alerts.channels of the configuration has none' : `there is ${names.join(', ')}`;
  const message = `channel: ${shown(channel)} is none of the configured ones; ${known}`;
  return new RequestProblem(404, 'not_found', message, { param: 'channel' });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64));
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'what was given';
}
