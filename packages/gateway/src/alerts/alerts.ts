import type { Io, JsonObject } from '@onetake/core';
import type { AlertChannel } from '../config/alerts.ts';
import { isTaken, reasonOf, sendNote } from './channels.ts';
import { testNote } from './message.ts';
import { MAX_SUBJECTS, type SharedAlerts } from './nodes.ts';
import type { Reading } from './reading.ts';
import { type ActiveRules, RULE_NAMES, RULES, type Rule, type RuleName } from './rules.ts';
import { type AlertRow, keyOf, type Silence, silenceOf } from './state.ts';
import type { Watch } from './watch.ts';

/** The alerts, as the API and the page see them. */
export interface Alerts {
  /** Rows of `GET /v1/alerts` that are not `ok`, the gravest first, as of the last look: for the Now page. */
  current(): readonly JsonObject[];
  /** Every row: those that are not ok, then what the rules found otherwise. */
  list(): Promise<readonly JsonObject[]>;
  rules(): readonly JsonObject[];
  /** Names and kinds; an address is a secret. */
  channels(): readonly Pick<AlertChannel, 'name' | 'kind'>[];
  /** Sends a test to one channel, or to all, and says what each answered. */
  test(channel?: string): Promise<readonly TestResult[]>;
  /** Sets the silence, or with an `until` that has passed ends it; resolves with the row it is about. */
  silence(wanted: Silence): Promise<JsonObject>;
}

export interface TestResult {
  readonly channel: string;
  readonly ok: boolean;
  readonly status?: number;
  readonly error?: string;
}

export interface AlertsOptions {
  readonly watch: Pick<Watch, 'readings' | 'known' | 'read' | 'silence'>;
  readonly rules: ActiveRules;
  readonly channels: readonly AlertChannel[];
  readonly io: Io;
  readonly pageUrl: () => string | undefined;
}

export function createAlerts({ watch, rules, channels, io, pageUrl }: AlertsOptions): Alerts {
  const activeRows = (shared: SharedAlerts) =>
    shared.rows.filter(isShown).map((row) => rowView(row, shared.silences, io.now()));
  return {
    current: () => activeRows(watch.known()),
    async list() {
      const shared = await watch.read();
      const active = new Set(shared.rows.filter(isShown).map(keyOf));
      const well = firstOfEach(watch.readings().filter((reading) => !reading.isOver && !active.has(keyOf(reading))));
      const seen = new Set([...shared.rows.filter(isShown), ...well].map(({ rule }) => rule));
      const unseen = (Object.keys(rules) as RuleName[]).filter((rule) => !seen.has(rule));
      return [
        ...activeRows(shared),
        ...well.map((reading) => wellView(reading, shared.silences, io.now())),
        ...unseen.map((rule) => wellView({ rule, subject: '' }, shared.silences, io.now())),
      ];
    },
    rules: () => RULE_NAMES.map((name) => ruleView(name, rules[name])),
    channels: () => channels.map(({ name, kind }) => ({ name, kind })),
    test: (wanted) =>
      Promise.all(
        channels
          .filter(({ name }) => wanted === undefined || name === wanted)
          .map(async (channel) => {
            const tried = await sendNote(channel, testNote(channel.name, io.now(), pageUrl()), io);
            const status = tried.kind === 'answered' ? { status: tried.status } : {};
            const ok = isTaken(tried);
            return { channel: channel.name, ok, ...status, ...(!ok && { error: reasonOf(tried) }) };
          }),
      ),
    async silence(wanted) {
      const { rule, subject = '' } = wanted;
      const shared = await watch.silence(wanted);
      const row = shared.rows.find((one) => isShown(one) && one.rule === rule && one.subject === subject);
      const now = io.now();
      return row ? rowView(row, shared.silences, now) : wellView({ rule, subject }, shared.silences, now);
    },
  };
}

/** Of what is well nobody reads a thousand rows. */
function firstOfEach(readings: readonly Reading[]): readonly Reading[] {
  return RULE_NAMES.flatMap((rule) => readings.filter((one) => one.rule === rule).slice(0, MAX_SUBJECTS));
}

/** A row that is well again may be kept because its recovery could not be told yet. */
function isShown({ isFiring, wellSince }: AlertRow): boolean {
  return isFiring || wellSince === undefined;
}

function rowView(row: AlertRow, silences: readonly Silence[], now: number): JsonObject {
  const { rule, subject, severity, since, value, threshold, message, told, isFiring } = row;
  const silencedUntil = silencedUntilOf(row, silences, now);
  const firing = silencedUntil === null ? 'firing' : 'silenced';
  return {
    ...{ rule, subject, state: isFiring ? firing : 'pending', severity, since, value, threshold },
    unit: RULES[rule].unit,
    ...{ message, advice: RULES[rule].advice, notified_at: told?.at ?? null, silenced_until: silencedUntil },
  };
}

interface Well {
  readonly rule: RuleName;
  readonly subject: string;
  readonly value?: number;
  readonly threshold?: number;
  readonly message?: string;
}

function wellView(reading: Well, silences: readonly Silence[], now: number): JsonObject {
  const { rule, subject, value, threshold, message } = reading;
  return {
    ...{ rule, subject, state: 'ok', severity: null, since: null, value: value ?? null, threshold: threshold ?? null },
    ...{ unit: RULES[rule].unit, message: value === 0 ? null : (message ?? null), advice: null, notified_at: null },
    silenced_until: silencedUntilOf(reading, silences, now),
  };
}

function silencedUntilOf(row: Pick<AlertRow, 'rule' | 'subject'>, silences: readonly Silence[], now: number) {
  const until = silenceOf(row, silences)?.until ?? 0;
  return until > now ? until : null;
}

function ruleView(name: RuleName, active: Rule | undefined): JsonObject {
  const { what, is, levels, unit, forMs, windowMs, minRequests }: Rule = active ?? RULES[name];
  return {
    ...{ name, on: active !== undefined, is, above: levels[0].at, unit, for_ms: forMs },
    ...{ window_ms: windowMs ?? null, min_requests: minRequests ?? null, what },
    levels: levels.map(({ at, severity }) => ({ at, severity })),
  };
}
