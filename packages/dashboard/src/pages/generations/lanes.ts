import type { GenerationDetail, LedgerLine, TimelineEvent, Timing } from '../../api/generations.ts';

/** What somebody waited for, in the order in which it happens. */
export type Stage = 'queue' | 'wait' | 'connect' | 'first-byte' | 'body' | 'job' | 'verify' | 'rest';

export interface Segment {
  readonly stage: Stage;
  /** From the request's arrival. */
  readonly fromMs: number;
  readonly toMs: number;
  /** It goes on. */
  readonly isOpen?: true;
}

/** One row of the drawing: an attempt, or a wait that had a reason. */
export interface Lane {
  readonly key: string;
  readonly run: number;
  readonly kind: 'attempt' | 'wait' | 'skipped';
  readonly attempt?: number;
  readonly target?: string;
  readonly segments: readonly Segment[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly outcome: 'running' | 'ok' | 'failed' | 'none';
  /** What it came to, or what it waited for. */
  readonly words: string;
  readonly certainty?: string;
  readonly billed?: string;
  readonly spentUsd?: number | null;
  readonly possibleUsd?: number | null;
  /** A clock ended the caller's wait here; the attempt stayed open for a late answer. */
  readonly overdueMs?: number;
}

export interface Lanes {
  readonly rows: readonly Lane[];
  readonly runs: number;
  /** The end of the drawing. */
  readonly spanMs: number;
}

type Told = Pick<GenerationDetail, 'timeline' | 'created_at' | 'finished_at' | 'status' | 'ledger'>;

/** The journal as rows over time; `now` is where an open one ends. */
export function lanesOf(told: Told, now: number): Lanes {
  const runs = [...new Set(told.timeline.map(({ run = 0 }) => run))].toSorted((a, b) => a - b);
  const endMs = told.finished_at === undefined ? Math.max(0, now - told.created_at) : undefined;
  const rows = (runs.length > 0 ? runs : [0]).flatMap((run) => {
    const events = told.timeline.filter(({ run: own = 0 }) => own === run);
    return lanesOfRun(run, events, told.ledger ?? [], endMs);
  });
  const spanMs = Math.max(1, endMs ?? 0, (told.finished_at ?? 0) - told.created_at, ...rows.map(({ toMs }) => toMs));
  return { rows, runs: Math.max(1, runs.length), spanMs };
}

function lanesOfRun(
  run: number,
  events: readonly TimelineEvent[],
  ledger: readonly LedgerLine[],
  endMs: number | undefined,
): readonly Lane[] {
  const lanes = events.flatMap((event, at) => laneOf(run, event, events.slice(at + 1), ledger, endMs));
  const [first, ...rest] = lanes;
  const queuedMs = first?.fromMs ?? events[0]?.ms ?? endMs ?? 0;
  const queue = segment('queue', 0, queuedMs, events.length === 0 && endMs !== undefined);
  if (first === undefined) return [waitingLane(run, queue)];
  if (queue.toMs === 0) return lanes;
  return [{ ...first, segments: [queue, ...first.segments], fromMs: 0 }, ...rest];
}

function waitingLane(run: number, queue: Segment): Lane {
  const span = { fromMs: queue.fromMs, toMs: queue.toMs };
  const outcome = queue.isOpen ? 'running' : 'none';
  return { key: `${run} queue`, run, kind: 'wait', segments: [queue], ...span, outcome, words: 'nothing was sent' };
}

function laneOf(
  run: number,
  event: TimelineEvent,
  later: readonly TimelineEvent[],
  ledger: readonly LedgerLine[],
  endMs: number | undefined,
): readonly Lane[] {
  const { type, ms, target, reason = '' } = event;
  const named = { run, ...(target !== undefined && { target }) };
  if (type === 'attempt-started') return [attemptLane(run, event, later, ledger, endMs)];
  if (type === 'target-skipped')
    return [
      {
        ...named,
        key: `${run} ${ms} skipped ${target}`,
        kind: 'skipped',
        segments: [],
        fromMs: ms,
        toMs: ms,
        outcome: 'none',
        words: reason,
      },
    ];
  if (type !== 'waiting') return [];
  const next = later.find((one) => one.type !== 'waiting')?.ms;
  const isOpen = next === undefined && endMs !== undefined;
  const toMs = next ?? endMs ?? ms + Math.max(0, (event.until ?? event.at) - event.at);
  const span = { fromMs: ms, toMs };
  return [
    {
      ...named,
      key: `${run} ${ms} wait`,
      kind: 'wait',
      segments: [segment('wait', ms, toMs, isOpen)],
      ...span,
      outcome: isOpen ? 'running' : 'none',
      words: reason,
    },
  ];
}

function attemptLane(
  run: number,
  started: TimelineEvent,
  later: readonly TimelineEvent[],
  ledger: readonly LedgerLine[],
  endMs: number | undefined,
): Lane {
  const { attempt = 1, ms: fromMs, target } = started;
  const own = later.filter((one) => one.attempt === attempt);
  const ended = own.find(({ type }) => type === 'attempt-ended');
  const accepted = own.find(({ type }) => type === 'handle-received');
  const overdue = own.find(({ type }) => type === 'clock-fired');
  const toMs = ended?.ms ?? endMs ?? own.at(-1)?.ms ?? fromMs;
  const segments = ended
    ? segmentsOf(fromMs, toMs, ended, accepted?.ms)
    : openSegments(fromMs, toMs, accepted?.ms, endMs !== undefined);
  const line = ledger.find((one) => one.run === run && one.attempt === attempt);
  return {
    key: `${run} ${attempt}`,
    ...{ run, kind: 'attempt', attempt, segments, fromMs, toMs },
    ...(target !== undefined && { target }),
    outcome: ended ? (ended.ok ? 'ok' : 'failed') : 'running',
    words: wordsOf(ended, overdue, own),
    ...certaintyOf(ended, overdue, line),
    ...(overdue && { overdueMs: overdue.ms }),
  };
}

function wordsOf(
  ended: TimelineEvent | undefined,
  overdue: TimelineEvent | undefined,
  own: readonly TimelineEvent[],
): string {
  if (ended?.ok)
    return ended.images ? `${ended.images.length} ${ended.images.length === 1 ? 'picture' : 'pictures'}` : 'answered';
  if (ended?.failure) return ended.failure.message;
  if (overdue) return 'the caller’s wait is over; kept open for a late answer';
  const stage = own.findLast((one) => one.stage !== undefined)?.stage;
  const progress = own.findLast((one) => one.progress !== undefined)?.progress;
  return [stage ?? 'at work', ...(progress === undefined ? [] : [`${progress} %`])].join(', ');
}

function certaintyOf(
  ended: TimelineEvent | undefined,
  overdue: TimelineEvent | undefined,
  line: LedgerLine | undefined,
) {
  const failure = ended?.failure ?? (ended ? undefined : overdue?.failure);
  const money = line && { spentUsd: line.spent_usd, possibleUsd: line.possible_usd };
  if (failure) return { certainty: failure.certainty, billed: failure.billed, ...money };
  return ended?.ok
    ? { billed: line?.spent_usd === 0 && line.possible_usd === 0 ? 'no' : 'yes', ...money }
    : { ...money };
}

/** By what the attempt measured. What of it was in none of its stages, such as looks at a job, is the rest. */
function segmentsOf(
  fromMs: number,
  toMs: number,
  { timing = {}, ok }: TimelineEvent,
  acceptedMs: number | undefined,
): readonly Segment[] {
  const { connect_ms = 0, first_byte_ms = 0, body_ms = 0, verify_ms = 0 } = timing;
  const verifyFrom = Math.max(fromMs, acceptedMs ?? 0, toMs - verify_ms);
  if (acceptedMs !== undefined)
    return real([
      segment('connect', fromMs, Math.min(acceptedMs, fromMs + connect_ms)),
      segment('first-byte', Math.min(acceptedMs, fromMs + connect_ms), acceptedMs),
      segment('job', acceptedMs, verifyFrom),
      segment('verify', verifyFrom, toMs),
    ]);
  const stages = [
    ['connect', connect_ms],
    ['first-byte', first_byte_ms],
    ['body', body_ms],
    ['verify', verify_ms],
  ] as const;
  let at = fromMs;
  const measured = stages.map(([stage, ms]) => {
    const from = at;
    at = Math.min(toMs, at + ms);
    return segment(stage, from, at);
  });
  return real([...measured, segment(ok ? 'rest' : unreached(timing), at, toMs)]);
}

/** Where it broke off: a stage without a measure was not passed. */
function unreached({ first_byte_ms, body_ms }: Timing): Stage {
  if (first_byte_ms === undefined) return 'first-byte';
  return body_ms === undefined ? 'body' : 'rest';
}

/** What it is doing now nobody has measured yet. */
function openSegments(
  fromMs: number,
  toMs: number,
  acceptedMs: number | undefined,
  isOpen: boolean,
): readonly Segment[] {
  if (acceptedMs === undefined) return [segment('first-byte', fromMs, toMs, isOpen)];
  return real([segment('first-byte', fromMs, acceptedMs), segment('job', acceptedMs, toMs, isOpen)]);
}

function segment(stage: Stage, fromMs: number, toMs: number, isOpen = false): Segment {
  return { stage, fromMs, toMs: Math.max(fromMs, toMs), ...(isOpen && { isOpen: true as const }) };
}

function real(segments: readonly Segment[]): readonly Segment[] {
  return segments.filter(({ fromMs, toMs, isOpen }) => toMs > fromMs || isOpen);
}

/** Instants for an axis: up to five round ones from 0 to the end. */
export function ticksOf(spanMs: number): readonly number[] {
  const least = spanMs / 4;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= least) ?? power * 10;
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, at) => at * step);
}

export const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  queue: 'in the queue',
  wait: 'waiting to try again',
  connect: 'connecting',
  'first-byte': 'until the first byte',
  body: 'receiving',
  job: 'the provider’s job',
  verify: 'verifying',
  rest: 'other work',
};
