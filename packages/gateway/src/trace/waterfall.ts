import type { JsonObject } from '@onetake/core';
import { listAt, msText, numberAt, objectAt, textAt } from './words.ts';

/** A stretch of time in an attempt. `fromMs` counts from the request's arrival. */
export interface Stage {
  readonly name: string;
  readonly fromMs: number;
  readonly ms: number;
}

export interface AttemptStages {
  /** Of the generation's runs, from 0. */
  readonly run: number;
  readonly attempt: number;
  readonly target: string;
  readonly stages: readonly Stage[];
}

/** The stages of every attempt, as far as the timeline has them; the queue is the time since the run's last event. */
export function attemptStages(view: JsonObject): readonly AttemptStages[] {
  const timeline = listAt(view, 'timeline');
  return timeline.flatMap((event) => {
    if (event.type !== 'attempt-started') return [];
    const [run, attempt] = [numberAt(event, 'run') ?? 0, numberAt(event, 'attempt') ?? 0];
    const own = timeline.filter((one) => (numberAt(one, 'run') ?? 0) === run);
    const before = own.findLast((one) => one.type === 'attempt-ended' && msOf(one) <= msOf(event));
    const queuedSince = before ? msOf(before) : 0;
    const mine = own.filter((one) => one.attempt === event.attempt);
    const stages = [{ name: 'queue', fromMs: queuedSince, ms: msOf(event) - queuedSince }, ...stagesOf(event, mine)];
    return [{ run, attempt, target: textAt(event, 'target') ?? '?', stages }];
  });
}

function stagesOf(started: JsonObject, mine: readonly JsonObject[]): readonly Stage[] {
  const ended = mine.find(({ type }) => type === 'attempt-ended');
  const handle = mine.find(({ type }) => type === 'handle-received');
  const end = ended && msOf(ended);
  let fromMs = msOf(started);
  const stage = (name: string, ms: number): Stage => {
    const one = { name, fromMs, ms };
    fromMs += ms;
    return one;
  };
  /** Up to the end: the picture checked, looked at and stored. */
  const last = (until: number, ms: number | undefined) =>
    ms === undefined || until <= fromMs ? [] : [stage('verify', until - fromMs)];
  const timing = objectAt(ended, 'timing');
  const verifyMs = numberAt(timing, 'verify_ms');
  if (handle) {
    const submit = stage('submit', msOf(handle) - fromMs);
    if (end === undefined) return [submit];
    return [submit, stage('at work', Math.max(0, end - fromMs - (verifyMs ?? 0))), ...last(end, verifyMs)];
  }
  const known = [
    ['connect', numberAt(timing, 'connect_ms')],
    ['first byte', numberAt(timing, 'first_byte_ms')],
    ['body', numberAt(timing, 'body_ms')],
  ] as const;
  const told = known.flatMap(([name, ms]) => (ms === undefined ? [] : [stage(name, ms)]));
  if (end === undefined || end <= fromMs) return told;
  // What is left is ours: the start made durable, a link followed; of older journals also what `verify` says now.
  const ours = verifyMs === undefined && Array.isArray(ended?.images) ? 'verify' : 'our part';
  const oursMs = end - fromMs - (verifyMs ?? 0);
  return [...told, ...(oursMs > 0 ? [stage(ours, oursMs)] : []), ...last(end, verifyMs)];
}

function msOf(event: JsonObject): number {
  return numberAt(event, 'ms') ?? 0;
}

const BAR = 40;

/** One line per stage: its name, how long it took, and a bar that begins where it began. */
export function waterfallLines(stages: readonly Stage[], indent: string): readonly string[] {
  const from = Math.min(...stages.map(({ fromMs }) => fromMs));
  const until = Math.max(...stages.map(({ fromMs, ms }) => fromMs + ms));
  const scale = BAR / Math.max(1, until - from);
  const widest = Math.max(...stages.map(({ ms }) => msText(ms).length));
  return stages.map(({ name, fromMs, ms }) => {
    const before = Math.min(BAR - 1, Math.floor((fromMs - from) * scale));
    const bar = '█'.repeat(Math.min(BAR - before, Math.max(1, Math.round(ms * scale))));
    return `${indent}${name.padEnd(10)} ${msText(ms).padStart(widest)}  ${' '.repeat(before)}${bar}`;
  });
}
