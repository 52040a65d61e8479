import { type Failure, gravest, httpAnswer, type JsonObject } from '@onetake/core';
import type { FastifyReply } from 'fastify';
import { bestOf, isGood } from '../candidates/judge.ts';
import type { CandidateSet } from '../candidates/sets.ts';
import { imageItem, pictureFields, resolvedFields } from './answer.ts';
import { writeAnswer } from './answering.ts';
import { type BeginDeps, type BegunSet, beginSet } from './candidate-begin.ts';
import { costFields, failureOf, isSettled, memberView, type Standing, setFields, setView } from './candidate-view.ts';
import { type Wait, type WaitOptions, waitForSet } from './candidate-wait.ts';
import type { AskedCandidates } from './candidates-wire.ts';
import type { ImageCall, ImageDeps } from './images.ts';
import { failureBody, failureHeaders, RequestProblem } from './problem.ts';
import type { Segment } from './segments.ts';

export interface CandidateDeps extends ImageDeps, Omit<BeginDeps, 'io'> {
  readonly onError: (error: unknown) => void;
}

/** What is asked, and where it is answered. */
export type CandidateCall = readonly [call: ImageCall, asked: AskedCandidates, reply: FastifyReply];

/** Their own clocks end the candidates first, and tell it better. */
const AFTER_DEADLINE_MS = 1_000;

/** Makes a set of candidates and answers as its `pick` says; the answer's caller may leave, the candidates stay. */
export async function answerCandidates(
  call: ImageCall,
  asked: AskedCandidates,
  reply: FastifyReply,
  deps: CandidateDeps,
): Promise<FastifyReply> {
  const begun = await beginSet(call.submission, asked, deps);
  const { set, deadlineAt } = begun;
  const headers = {
    'x-onetake-candidates': set.id,
    ...(begun.kind === 'attached' && { 'x-onetake-attached': set.id }),
    ...(begun.kind === 'replayed' && { 'idempotent-replayed': 'true' }),
  };
  const { asTask } = call.submission;
  const { waitMs, applied, alwaysTask } = call.handOver;
  const until = asTask ? deps.io.now() + (waitMs ?? 0) : deadlineAt + AFTER_DEADLINE_MS;
  const wait = await waitAndSettle(call, begun, { until, response: reply.raw }, deps);
  if (wait.ended === 'left') {
    await note(set, 'lost', deps);
    return reply;
  }
  let isBroken = false;
  // An answer that a clock cut short is not the result, nor is an error of ours in its place.
  const isWhole = () => asTask || (wait.ended === 'done' && reply.raw.writableFinished && !isBroken);
  reply.raw.once('close', () => void note(set, isWhole() ? 'given' : 'lost', deps));
  if (!asTask) {
    return answerSet({ call, set, wait, headers }, reply, deps).catch((error) => {
      isBroken = !(error instanceof RequestProblem);
      throw error;
    });
  }
  reply.headers({ ...headers, 'preference-applied': applied });
  if (wait.ended === 'done' && waitMs !== undefined && !alwaysTask) {
    return answerSet({ call, set, wait, headers }, reply, deps);
  }
  reply.header('location', `/v1/candidates/${set.id}`).header('cache-control', 'no-store');
  const view = setView(set, wait.standings, { assetsUrl: deps.assetsUrl() });
  return reply.code(wait.ended === 'done' && waitMs !== undefined ? 200 : 202).send(view);
}

/** Where either fails nobody gets the answer: the next identical request takes the set over instead of paying for another. */
async function waitAndSettle(
  call: ImageCall,
  { set, kind }: BegunSet,
  options: WaitOptions,
  deps: CandidateDeps,
): Promise<Wait> {
  try {
    const wait = await waitForSet(set, options, deps);
    await settleOthers(call, set, wait, kind === 'created', deps);
    return wait;
  } catch (error) {
    await note(set, 'lost', deps);
    throw error;
  }
}

/** What has not been sent is not needed once there is a first one; who leaves may take everything along. */
async function settleOthers(
  call: ImageCall,
  set: CandidateSet,
  { ended, standings }: Wait,
  isOurs: boolean,
  { tasks }: CandidateDeps,
): Promise<void> {
  const open = standings.filter((one) => !isSettled(one));
  const isTakenAlong = ended === 'left' && isOurs && call.onDisconnect === 'cancel';
  const isFound = ended === 'done' && set.pick === 'first';
  if (isTakenAlong) await Promise.all(open.map(({ member }) => tasks.cancel(member.generation, set.caller, 0)));
  else if (isFound) await Promise.all(open.map(({ member }) => tasks.withdraw(member.generation)));
}

async function note(set: CandidateSet, state: 'lost' | 'given', deps: CandidateDeps): Promise<void> {
  const at = deps.io.now();
  const change = (stored: CandidateSet) =>
    stored.answer.state === 'given' ? stored : { ...stored, answer: { state, at } };
  await deps.candidateSets.change(set.id, set.caller, change).catch(deps.onError);
}

interface Told {
  readonly call: ImageCall;
  readonly set: CandidateSet;
  readonly wait: Wait;
  readonly headers: Readonly<Record<string, string>>;
}

async function answerSet(told: Told, reply: FastifyReply, deps: CandidateDeps): Promise<FastifyReply> {
  const chosen = chosenOf(told.set, told.wait.standings);
  if (chosen.length === 0) return answerFailure(told, reply, deps);
  for (const { image } of chosen) {
    const isThere = image && (await deps.assets.size(image.asset.hash, image.asset.type)) !== undefined;
    if (!isThere) throw new RequestProblem(404, 'not_found', EXPIRED);
  }
  const { form } = told.call;
  const delivery = form === 'url' ? { form, assetsUrl: deps.assetsUrl() } : { form };
  const headers = { ...told.headers, 'content-type': 'application/json; charset=utf-8' };
  const answering = { reply, assets: deps.assets, io: deps.io, delivery, headers, onResult: () => {} };
  await writeAnswer(answering, 200, headers, bodyOf(told, chosen, delivery, deps.assetsUrl()));
  return reply;
}

const EXPIRED = 'a picture of these candidates was removed by retention; send the request with a new Idempotency-Key';

/** The pictures to hand over; a flagged one rather than none, because it was paid for. */
function chosenOf({ pick }: CandidateSet, standings: readonly Standing[]): readonly Standing[] {
  const made = standings.filter(({ image }) => image !== undefined);
  if (pick === 'all') return made;
  const good = made.filter(({ judgement }) => judgement && isGood(judgement));
  const earliest = good.toSorted((a, b) => (a.snapshot?.finishedAt ?? 0) - (b.snapshot?.finishedAt ?? 0));
  const first = pick === 'first' ? earliest[0] : undefined;
  const best = made[bestOf(made.map(({ judgement }) => judgement)) ?? -1];
  return [first ?? best].filter((one) => one !== undefined);
}

/** OpenAI's image answer; what belongs to one candidate is in `members`. */
function bodyOf(
  { set, wait }: Told,
  chosen: readonly Standing[],
  delivery: Parameters<typeof imageItem>[1],
  assetsUrl: string,
): readonly Segment[] {
  const images = chosen.flatMap(({ image }) => (image ? [image] : []));
  const [first] = chosen;
  const rest = JSON.stringify({
    ...(first?.snapshot && first.generation && resolvedFieldsOf(first)),
    onetake: { ...extension(set, wait.standings, assetsUrl), ...pictureFields(images, []) },
  });
  const data = images.flatMap((image, at) => [at === 0 ? '' : ',', ...imageItem(image, delivery)]);
  return [`{"created":${Math.floor(set.createdAt / 1000)},"data":[`, ...data, `],${rest.slice(1)}`];
}

function resolvedFieldsOf({ snapshot, generation, image }: Standing) {
  return snapshot && generation ? resolvedFields({ plan: snapshot.plan, generation }, image) : {};
}

function extension(set: CandidateSet, standings: readonly Standing[], assetsUrl: string): JsonObject {
  const sum = (count: 'attempts' | 'paidAttempts') =>
    standings.reduce((counted, { generation }) => counted + (generation?.[count] ?? 0), 0);
  const members = standings.map((one) => memberView(one, assetsUrl));
  return {
    candidates: { id: set.id, ...setFields(set, standings), members },
    attempts: sum('attempts'),
    paid_attempts: sum('paidAttempts'),
    ...costFields(standings),
  };
}

/** No picture at all: one error, of the candidate whose failure is about money, with all of them beside it. */
function answerFailure({ set, wait, headers }: Told, reply: FastifyReply, deps: CandidateDeps): FastifyReply {
  const { standings } = wait;
  const failures = standings.flatMap((one) => failureOf(one) ?? []);
  const open = standings.some((one) => !isSettled(one));
  const unfinished = unfinishedFailure(set, deps.io.now());
  const failure = open ? unfinished : gravest(failures, failures[0] ?? unfinished);
  const speaker = standings.find((one) => failureOf(one) === failure);
  const telling = speaker?.snapshot &&
    speaker.generation && {
      id: speaker.member.generation,
      plan: speaker.snapshot.plan,
      generation: speaker.generation,
    };
  const body = failureBody(failure, { requestId: reply.request.id, now: deps.io.now(), ...(telling && { telling }) });
  const onetake = { ...(body.onetake as JsonObject), ...extension(set, standings, deps.assetsUrl()) };
  return reply
    .code(httpAnswer(failure).status)
    .headers({ ...headers, ...failureHeaders(failure, deps.io.now()) })
    .send({ ...body, onetake });
}

function unfinishedFailure({ id, createdAt }: CandidateSet, now: number): Failure {
  const message = `no candidate was finished after ${now - createdAt} ms; they are still being made: GET /v1/candidates/${id}`;
  return { kind: 'timeout', certainty: 'ambiguous', message };
}
