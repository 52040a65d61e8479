import type { ServerResponse } from 'node:http';
import { type Draft, entryAt, keptPrompt, placeIn } from '../accept.ts';
import { admit, type Dress, type ImageContext } from '../exchange.ts';
import { type ChatCue, chatTextOf } from '../faults/chat.ts';
import { type ChatCourse, chatRefusal } from '../faults/chat-course.ts';
import type { Ending } from '../ledger.ts';
import { type Answer, pageAnswer, type Refusal } from '../wire/answer.ts';
import { deliver } from '../wire/deliver.ts';
import type { ChatCall } from './call.ts';
import { completionsWire } from './completions.ts';
import { type EmbeddingsCall, embeddingsAnswer } from './embeddings.ts';
import { type Playing, playStream, playWhole } from './play.ts';
import { replyTo, type Usage, usageOf } from './reply.ts';
import { responsesWire } from './responses.ts';
import { createPromptCache, type PromptCache } from './tokens.ts';
import { newId, type Wire } from './wire.ts';

/** A request of chat or for embeddings that was read and checked. */
export interface ChatOrder {
  readonly call: ChatCall | EmbeddingsCall;
  /** As refusals call it. */
  readonly model: string;
  readonly script: readonly ChatCue[];
  /** Whose place in the script it moves on, and whose inputs are cached. */
  readonly key: string | undefined;
}

export type ChatDraft = Draft<'chat'>;

type Context = Pick<ImageContext, 'ledger' | 'limiter'>;

/** What an order comes to: everything is known before the first token. */
interface Piece {
  readonly course: ChatCourse;
  readonly wire: Wire | Pick<Wire, 'whole' | 'failed'>;
  readonly steps: number;
  readonly usage: (made: number) => Usage;
  /** To be called once it is admitted: a refused request uses nothing up. */
  readonly remember?: (() => void) | undefined;
}

const caches = new WeakMap<Context['ledger'], PromptCache>();

/**
 * Admits an order, takes its cue, writes what goes in to the bill and answers; when it ends, or the caller leaves, the
 * bill hears how many tokens were made. A limit that is reached throws.
 */
export async function answerChat(
  context: Context,
  order: ChatOrder,
  draft: ChatDraft,
  response: ServerResponse,
  dress: Dress,
): Promise<void> {
  const { ledger, limiter } = context;
  const { call, script, key = '' } = order;
  const place = placeIn(script, [key, draft.model, script.map(chatTextOf), call.endpoint, saidIn(call)]);
  const cue = entryAt(ledger, script, place);
  const course = courseOf(cue);
  const charges = cue.every(({ fault }) => fault.charges);
  const piece = pieceFor(context, order, course, charges);
  const whole = piece.usage(piece.steps);
  const rateHeaders = admit(limiter, draft.model, { tokens: whole.input + whole.output }, response);
  piece.remember?.();
  const [startedAt, id] = [performance.now(), newId('chat_')];
  const refusal = course.refusal?.({ value: undefined, model: order.model, now: Date.now() });
  const stream = 'stream' in call && call.stream;
  const refused = course.page !== undefined || (refusal !== undefined && !(stream && refusal.status === 200));
  const charged = charges ? 1 : 0;
  ledger.append({
    ...{ ...draft, id, stream, played: chatTextOf(cue), images: 0, charged },
    ...{ input_tokens: whole.input, cached_tokens: whole.cached, output_tokens: refused && charges ? whole.output : 0 },
    ...(place !== undefined && { position: place }),
    ...(refused && { ended: 'refused', took_ms: 0 }),
  });
  const headers = { ...dress.headers(), ...rateHeaders };
  if (refused) {
    const answer = course.page ? pageAnswer(course.page.status, course.page.html) : refusedAs(dress, refusal);
    return deliver(response, { ...answer, headers: { ...headers, ...answer.headers } });
  }
  const progress = { made: () => 0 };
  const settle = (ended: Ending['ended']) => {
    const tookMs = Math.round(performance.now() - startedAt);
    const { output } = piece.usage(progress.made());
    const aborted = ended === 'aborted' ? { aborted_ms: tookMs } : {};
    ledger.end({ id, ended, output_tokens: output, took_ms: tookMs, ...aborted });
  };
  const played = refusal ? { ...course, fails: ERROR_IN_200 } : course;
  const play: Playing = { ...piece, course: played, response, headers, settle, progress };
  if (response.closed) settle('aborted');
  else response.once('close', () => settle('aborted'));
  await perform(play, dress);
}

const ERROR_IN_200 = { at: 'first', code: 'server_error', as: 'error' } as const;

async function perform(play: Playing, dress: Dress): Promise<void> {
  if (streams(play)) return playStream(play);
  const { fails } = play.course;
  return playWhole(play, () => refusedAs(dress, fails && chatRefusal(fails.code)));
}

function streams(play: Playing): play is Playing & { readonly wire: Wire } {
  return 'opening' in play.wire;
}

function refusedAs(dress: Dress, refusal: Refusal | undefined): Answer {
  if (!refusal) throw new Error('what is refused has a refusal');
  return dress.refuse(refusal);
}

/** All that the faults of a cue do, together. */
function courseOf(cue: ChatCue): ChatCourse {
  return Object.assign({}, ...cue.map(({ fault, value, word }) => fault.plays({ value, ...(word && { word }) })));
}

export function saidIn(call: ChatCall | EmbeddingsCall): string {
  return call.endpoint === 'embeddings' ? call.inputs.join('\n') : call.said;
}

/** What of what was said stands on the bill. */
export function keptWords(call: ChatCall | EmbeddingsCall): string {
  return keptPrompt(saidIn(call));
}

function pieceFor(context: Context, { call, key = '' }: ChatOrder, course: ChatCourse, charges: boolean): Piece {
  if (call.endpoint === 'embeddings') {
    const usage = { input: call.tokens, cached: 0, output: 0, reasoning: 0 };
    const whole = () => embeddingsAnswer(call, course.usage !== 'none');
    return { course, wire: { whole, failed: () => undefined }, steps: 0, usage: () => usage };
  }
  const reply = replyTo(call, course);
  const { tokens: cached = 0, remember } = charges ? cacheOf(context).look(`${key}\n${call.model}`, call.input) : {};
  const write = call.endpoint === 'responses' ? responsesWire : completionsWire;
  const wire = write(call, reply, { ...course, cached });
  const { whole, failed } = wire;
  return {
    ...{ course, steps: reply.steps, remember, usage: (made) => usageOf(call, cached, reply, made) },
    wire: call.stream ? wire : { whole, failed },
  };
}

/** What was cached belongs to the bill that it made cheaper. */
function cacheOf({ ledger }: Context): PromptCache {
  const cache = caches.get(ledger) ?? createPromptCache();
  caches.set(ledger, cache);
  return cache;
}
