import { createHash } from 'node:crypto';
import { billed, type Catalogue, type Io, planImage, TIMEOUTS } from '@onetake/core';
import { type MemberRequest, planMembers } from '../candidates/members.ts';
import { type CandidateSet, type CandidateSets, MAX_SETS_PER_CELL, type Member } from '../candidates/sets.ts';
import type { Generations, Submission, Ticket } from '../tasks/generations.ts';
import { drawId } from '../tasks/submission.ts';
import { failureOf, isSettled, type Standing } from './candidate-view.ts';
import type { Standings } from './candidate-wait.ts';
import type { AskedCandidates } from './candidates-wire.ts';
import { FailureProblem, RequestProblem } from './problem.ts';

export interface BeginDeps {
  readonly generations: Generations;
  readonly candidateSets: CandidateSets;
  readonly standings: Standings;
  readonly catalogue: Catalogue;
  readonly io: Pick<Io, 'now'>;
  /** Names the life of this process, so that what an earlier one was waiting for is known to be lost. */
  readonly processId: string;
  /** Whether this process alone has the store: then every other was an earlier one. */
  readonly ownsStore: boolean;
  readonly attachWindowMs: number;
}

export interface BegunSet {
  readonly kind: 'created' | 'replayed' | 'attached';
  readonly set: CandidateSet;
  /** Epoch ms; nobody waits longer for the answer. */
  readonly deadlineAt: number;
}

/**
 * The set that this request already has, by its key or because an earlier answer never arrived, or a new one whose
 * candidates wait for their turn. The set is durable before its candidates are. Throws a problem before any is sent.
 */
export async function beginSet(submission: Submission, asked: AskedCandidates, deps: BeginDeps): Promise<BegunSet> {
  const { io, candidateSets, standings } = deps;
  const planned = planAll(submission, asked, deps);
  const except = new Set<string>();
  for (let round = 0; round <= MAX_SETS_PER_CELL; round += 1) {
    const draft = draftOf(submission, asked, deps);
    const begun = await candidateSets.begin(draft, { ...scopeOf(submission, deps), except });
    if (begun.kind === 'created') {
      const deadlineAt = Math.max(...planned.map(({ plan }) => plan.deadlineAt));
      return { kind: 'created', set: await submitAll(begun.set, planned, submission, deps), deadlineAt };
    }
    if (begun.set.fingerprint !== submission.fingerprint) {
      throw new RequestProblem(422, 'idempotency_mismatch', MISMATCH, { param: 'Idempotency-Key' });
    }
    const found = await standings.read(begun.set);
    const isYoung = begun.set.createdAt > io.now() - BEGINNING_MS;
    // What came to nothing and cost nothing had better be made again.
    const isNothing = found.every((one) => isSettled(one) && one.image === undefined && isFree(one));
    if (!isNothing || (isYoung && found.some(isAbsent))) return joined(begun, submission, io);
    except.add(begun.set.id);
  }
  throw new FailureProblem({ kind: 'queue_full', certainty: 'not_sent', message: TOO_OFTEN });
}

const MISMATCH =
  'Idempotency-Key: it was used for another request body within 24 hours; send a new key, or the same body';
const TOO_OFTEN = 'this request has failed too often just now; repeat it later, or with a new Idempotency-Key';
/** Candidates of a set this young may still be on their way into the store. */
const BEGINNING_MS = 5_000;

function joined(
  begun: { readonly kind: BegunSet['kind']; readonly set: CandidateSet },
  { settings }: Submission,
  io: BeginDeps['io'],
): BegunSet {
  return { ...begun, deadlineAt: io.now() + (settings.totalTimeoutMs ?? TIMEOUTS.totalMs) };
}

/** It never began, or is kept no more: it has nothing to give. One that began and broke off may have been paid. */
function isAbsent({ snapshot, member }: Standing): boolean {
  return snapshot === undefined && member.failure === undefined;
}

function isFree(standing: Standing): boolean {
  const failure = failureOf(standing);
  return isAbsent(standing) || (failure !== undefined && billed(failure) === 'no');
}

/** A candidate that cannot be made is a mistake in the request: nothing is spent on the others. */
function planAll({ request, model, settings }: Submission, { members }: AskedCandidates, { catalogue, io }: BeginDeps) {
  const planned = planMembers({
    ...{ request, model, asked: members },
    plan: (one, name) => planImage(one, name, catalogue, settings, io.now()),
  });
  if (planned.ok) return planned.members;
  const { failure } = planned.planned;
  throw new FailureProblem({ ...failure, message: `candidate ${planned.index}: ${failure.message}` });
}

function draftOf(submission: Submission, { members, pick }: AskedCandidates, { io, processId }: BeginDeps) {
  const { caller, fingerprint, asTask } = submission;
  const now = io.now();
  const keyHash = keyHashOf(submission);
  return {
    ...{ caller, fingerprint, pick, createdAt: now },
    ...(keyHash !== undefined && { keyHash }),
    members: members.map(() => ({ generation: drawId() })),
    answer: asTask
      ? ({ state: 'given', at: now } as const)
      : ({ state: 'waiting', at: now, process: processId } as const),
  };
}

function keyHashOf({ endpoint, idempotencyKey: key }: Submission): string | undefined {
  if (key === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([endpoint, key]))
    .digest('hex');
}

function scopeOf(submission: Submission, { io, processId, ownsStore, attachWindowMs }: BeginDeps) {
  const { attach, asTask, provenRetry } = submission;
  const keyHash = keyHashOf(submission);
  if (keyHash !== undefined) return { keyHash };
  if (!attach || asTask) return {};
  const since = io.now() - attachWindowMs;
  const takes = ({ answer }: CandidateSet) => {
    if (answer.state === 'given' || answer.at <= since) return false;
    return answer.state === 'lost' || provenRetry || (ownsStore && answer.process !== processId);
  };
  return { takes };
}

/** Each candidate is a task: it runs to its end, whoever waits. One that could not begin does not keep the others. */
async function submitAll(
  set: CandidateSet,
  planned: readonly MemberRequest[],
  submission: Submission,
  { generations, candidateSets, io }: BeginDeps,
): Promise<CandidateSet> {
  const { idempotencyKey: _, ...rest } = submission;
  const tickets = await Promise.allSettled(
    planned.map(({ request, model, plan }, at) => {
      const totalTimeoutMs = plan.deadlineAt - plan.createdAt;
      const settings = submission.asTask ? submission.settings : { ...submission.settings, totalTimeoutMs };
      const id = set.members[at]?.generation;
      const own = { ...rest, request, model, settings, attach: false, provenRetry: false, asTask: true };
      const alone = { idempotencyKey: undefined, candidates: set.id };
      return generations.submit({ ...own, ...alone, ...(id !== undefined && { id }) });
    }),
  );
  const members = set.members.map((member, at) => withTicket(member, tickets[at], io.now()));
  if (members.every((member, at) => member === set.members[at])) return set;
  const written = await candidateSets.change(set.id, set.caller, (stored) => ({ ...stored, members }));
  return written ?? { ...set, members };
}

/** As it was planned, without a generation, or with that which makes the same already. */
function withTicket(member: Member, ticket: PromiseSettledResult<Ticket> | undefined, now: number): Member {
  if (ticket?.status !== 'fulfilled') {
    const message = 'the gateway’s database did not answer when this candidate was to begin';
    return { ...member, failure: { kind: 'interrupted', certainty: 'ambiguous', message } };
  }
  const { value } = ticket;
  if (value.kind === 'refused') return { ...member, failure: value.failure };
  if (value.kind !== 'full') return withGeneration(member, value);
  const notBefore = now + (value.retryAfterMs ?? FULL_RETRY_MS);
  return { ...member, failure: { kind: 'queue_full', certainty: 'not_sent', message: value.message, notBefore } };
}

function withGeneration(member: Member, ticket: Ticket): Member {
  if (ticket.kind === 'live') ticket.live.leave();
  const generation = generationOf(ticket) ?? member.generation;
  return generation === member.generation ? member : { ...member, generation };
}

function generationOf(ticket: Ticket): string | undefined {
  if (ticket.kind === 'task') return ticket.id;
  if (ticket.kind === 'live') return ticket.live.id;
  return ticket.kind === 'stored' ? ticket.stored.id : undefined;
}

const FULL_RETRY_MS = 5_000;
