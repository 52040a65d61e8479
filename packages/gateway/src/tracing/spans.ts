import {
  billed,
  type Connection,
  type Event,
  foldGeneration,
  type Generation,
  type Outcome,
  type PlannedTarget,
} from '@onetake/core';
import { answersFor } from '../failure-answers.ts';
import { plainCode } from '../signals/plain-code.ts';
import type { Summary } from '../store/store.ts';
import type { AnyLive } from '../tasks/running.ts';
import { operationOf, promptAttributes, providerName, requestAttributes, usageAttributes } from './gen-ai.ts';
import { type Attributes, attributesOf, type SpanData, type SpanEvent } from './span.ts';
import { attemptSpanId, generationSpanId, type TracePlace, tracePlace } from './trace-context.ts';

export interface SpansOptions {
  /** Prompts may stand in traces. */
  readonly prompts: boolean;
  /** How a provider is reached now, for the address of its server. */
  readonly connection: (provider: string) => Pick<Connection, 'baseUrl' | 'hosts'> | undefined;
}

type Ended = Pick<AnyLive, 'id' | 'caller' | 'requestId' | 'plan' | 'journals'>;

/** Attempts of one generation that get a span; the others are in its numbers. */
const MAX_ATTEMPTS = 128;
/** A job that is looked at for hours. */
const MAX_EVENTS = 64;

/**
 * The spans of a generation that has ended, made from its journals: itself, and as its children every attempt. The same
 * journals make the same spans, ids included. Empty where its caller does not want the trace kept.
 */
export function spansOf(live: Ended, summary: Summary, options: SpansOptions): readonly SpanData[] {
  const place = tracePlace(live.id, live.plan.trace);
  if (!place.isSampled) return [];
  const attempts = live.journals.flatMap((events, run) =>
    events.flatMap((event) =>
      event.type === 'attempt-started' ? [attemptSpan({ live, place, events, run }, event, summary, options)] : [],
    ),
  );
  return [generationSpan(live, place, summary, options), ...attempts.slice(0, MAX_ATTEMPTS)];
}

function generationSpan(live: Ended, place: TracePlace, summary: Summary, options: SpansOptions): SpanData {
  const { id, plan } = live;
  const generation = foldGeneration(live.journals);
  const target = plan.targets.find((one) => one.id === summary.target);
  return {
    name: `${operationOf(plan)} ${plan.route}`,
    kind: 'server',
    ...commonOf(place, generationSpanId(id)),
    ...(place.parentSpanId !== undefined && { parentSpanId: place.parentSpanId, hasRemoteParent: true }),
    startMs: plan.createdAt,
    endMs: Math.max(plan.createdAt, summary.finishedAt),
    attributes: {
      ...requestAttributes(plan, plan.route),
      ...(target && { 'gen_ai.provider.name': providerName(target) }),
      ...(target && generation.outcome?.ok && { 'gen_ai.response.model': target.model }),
      ...usageAttributes(generation.outcome?.usage),
      ...ownAttributes(live, generation, summary),
      ...(options.prompts && promptAttributes(plan)),
    },
    ...eventsOf(live.journals.flat().flatMap(generationEvent)),
    ...(summary.code !== undefined && { error: plainCode(summary.code) }),
  };
}

/** What only a gateway that pays knows. */
function ownAttributes(live: Ended, { outcome, attempts, paidAttempts }: Generation, summary: Summary): Attributes {
  return attributesOf({
    'onetake.generation': live.id,
    'onetake.request_id': live.requestId,
    'onetake.caller': live.caller,
    'onetake.status': summary.status,
    'onetake.target': summary.target,
    'onetake.runs': live.journals.length,
    'onetake.attempts': attempts,
    'onetake.paid_attempts': paidAttempts,
    'onetake.billed': summary.billed,
    'onetake.cost_usd': summary.costUsd,
    'onetake.possible_usd': summary.possibleUsd,
    'onetake.pictures': outcome?.ok && !('chat' in live.plan) ? outcome.images.length : undefined,
    'onetake.unattended': live.plan.unattended,
    'onetake.priority': live.plan.priority,
    'error.type': summary.code && plainCode(summary.code),
  });
}

interface InRun {
  readonly live: Ended;
  readonly place: TracePlace;
  readonly events: readonly Event[];
  readonly run: number;
}

type Started = Extract<Event, { type: 'attempt-started' }>;
type EndedEvent = Extract<Event, { type: 'attempt-ended' }>;

function attemptSpan(inRun: InRun, started: Started, summary: Summary, options: SpansOptions): SpanData {
  const { live, place, events, run } = inRun;
  const { attempt, at } = started;
  const own = events.filter((event) => 'attempt' in event && event.attempt === attempt);
  const ended = own.find((event) => event.type === 'attempt-ended');
  const target = live.plan.targets.find(({ id }) => id === started.target);
  const model = target?.model ?? started.target;
  const error = ended && errorOf(ended.outcome, live);
  return {
    name: `${operationOf(live.plan)} ${model}`,
    kind: 'client',
    ...commonOf(place, attemptSpanId(live.id, run, attempt)),
    parentSpanId: generationSpanId(live.id),
    startMs: at,
    endMs: Math.max(at, ended?.at ?? summary.finishedAt),
    attributes: {
      ...requestAttributes(live.plan, model),
      ...(target && targetAttributes(target, started, options)),
      ...(ended && endAttributes(ended)),
      ...attributesOf({
        'onetake.generation': live.id,
        'onetake.target': started.target,
        'onetake.attempt': attempt,
        'onetake.run': live.journals.length > 1 ? run : undefined,
        'onetake.free': started.free,
        'error.type': error,
      }),
    },
    ...eventsOf(own.flatMap(attemptEvent)),
    ...(error !== undefined && { error }),
  };
}

function errorOf(outcome: Outcome, { plan }: Ended): string | undefined {
  return outcome.ok ? undefined : plainCode(answersFor(plan).answer(outcome.failure).code);
}

function targetAttributes(target: PlannedTarget, { credential }: Started, { connection }: SpansOptions): Attributes {
  const reached = connection(target.provider);
  const address = URL.parse(reached?.hosts?.[credential ?? target.credential] ?? reached?.baseUrl ?? '');
  const port = address?.port || (address?.protocol === 'http:' ? 80 : 443);
  return attributesOf({
    'gen_ai.provider.name': providerName(target),
    'server.address': address?.hostname,
    'server.port': address ? Number(port) : undefined,
    'onetake.credential': credential,
  });
}

function endAttributes({ outcome, status, requestId, timing }: EndedEvent): Attributes {
  const failure = outcome.ok ? undefined : outcome.failure;
  return attributesOf({
    ...usageAttributes(outcome.usage),
    'http.response.status_code': status,
    'onetake.provider_request_id': requestId,
    'onetake.kind': failure?.kind,
    'onetake.certainty': failure?.certainty,
    'onetake.billed': failure && billed(failure),
    'onetake.connect_ms': timing?.connectMs,
    'onetake.first_byte_ms': timing?.firstByteMs,
    'onetake.body_ms': timing?.bodyMs,
    'onetake.verify_ms': timing?.verifyMs,
  });
}

function commonOf({ traceId, traceState }: TracePlace, spanId: string) {
  return { traceId, spanId, ...(traceState !== undefined && { traceState }) };
}

function eventsOf(events: readonly SpanEvent[]): Pick<SpanData, 'events' | 'droppedEvents'> {
  const inOrder = events.toSorted((a, b) => a.atMs - b.atMs);
  return { events: inOrder.slice(0, MAX_EVENTS), droppedEvents: Math.max(0, inOrder.length - MAX_EVENTS) };
}

function eventAt({ type, at }: Event, given: Parameters<typeof attributesOf>[0]): readonly SpanEvent[] {
  return [{ name: type, atMs: at, attributes: attributesOf(given) }];
}

/** What happened between attempts. Reasons are left out: they may be a provider's words. */
function generationEvent(event: Event): readonly SpanEvent[] {
  switch (event.type) {
    case 'waiting':
      return eventAt(event, { 'onetake.target': event.target, 'onetake.wait_ms': Math.max(0, event.until - event.at) });
    case 'target-skipped':
      return eventAt(event, { 'onetake.target': event.target, 'onetake.kind': event.kind });
    case 'rung-taken':
      return eventAt(event, { 'onetake.rung': event.rung });
    default:
      return [];
  }
}

function attemptEvent(event: Event): readonly SpanEvent[] {
  switch (event.type) {
    case 'handle-received':
    case 'polled':
      return eventAt(event, { 'onetake.progress': event.progress, 'onetake.stage': event.stage });
    case 'answer-begun':
      return eventAt(event, { 'onetake.first_content_ms': event.firstContentMs });
    case 'partial-sent':
      return eventAt(event, { 'onetake.index': event.index });
    case 'clock-fired':
      return eventAt(event, { 'onetake.clock': event.clock });
    case 'mask-converted':
      return eventAt(event, {});
    default:
      return [];
  }
}
