import type { ChatPlan, ChatRequest, ChatSink } from '../chat/chat.ts';
import type { ChatEndpoint } from '../chat/endpoints.ts';
import { planChat } from '../chat/plan-chat.ts';
import { readChat } from '../chat/read-chat.ts';
import { runChat } from '../chat/run-chat.ts';
import { type Cost, costOf } from '../cost.ts';
import type { Failure } from '../failure.ts';
import { foldGeneration } from '../generation.ts';
import type { Event, Outcome } from '../journal.ts';
import type { JsonObject } from '../json.ts';
import { type PolicySettings, splitTarget } from '../model-names.ts';
import { readControls } from './controls.ts';
import type { Engine } from './engine.ts';
import { brokenOff, UNFINISHED } from './interrupted.ts';

/** One request of chat as it is asked of the client. */
export interface ChatCall {
  readonly endpoint: ChatEndpoint;
  /** JSON, passed on byte for byte but for the model's name. */
  readonly bytes: Uint8Array;
  readonly policy?: PolicySettings | undefined;
  /** Aborting it destroys the exchange with the provider at once. */
  readonly cancel: AbortSignal;
}

/** What is known of a chat beside the provider's own answer. */
export interface ChatFacts {
  /** Who answered, or was asked last; empty where nobody was asked. */
  readonly provider: string;
  readonly model: string;
  readonly attempts: number;
  readonly paidAttempts: number;
  readonly cost: Cost;
  /** In the shape of the Responses API whatever the endpoint; `estimated: true` where the answer did not tell it. */
  readonly usage: JsonObject | undefined;
}

export interface ChatEnd {
  readonly outcome: Outcome;
  readonly facts: ChatFacts;
  readonly journal: readonly Event[];
}

/** A request that was found good and is on its way. `ended` always resolves. */
export interface OpenChat {
  readonly ok: true;
  readonly stream: boolean;
  readonly ended: Promise<ChatEnd>;
}

/** Begins one request of chat, whose answer comes into its sink; fails before anything is sent for one that is wrong. */
export function openChat(
  engine: Engine,
  { endpoint, bytes, policy, cancel }: ChatCall,
  sinkFor: (request: ChatRequest) => ChatSink,
): OpenChat | { readonly ok: false; readonly failure: Failure } {
  const read = readChat(endpoint, bytes);
  if (!read.ok) return read;
  const controls = readControls(read.controls);
  if (!controls.ok) return controls;
  const settings = { ...engine.policy, ...controls.settings, ...policy };
  const planned = planChat(read.request, read.model, engine.catalogue, settings, engine.io.now());
  if (!planned.ok) return planned;
  const { plan } = planned;
  const journal = engine.journal();
  const environment = { ...engine.environment(1, cancel), repeats: engine.repeats };
  const asked = { body: read.body, sink: sinkFor(read.request) };
  const running = runChat(engine.nextRunId(), plan, journal, environment, asked);
  const ended = running.then(
    (outcome) => chatEnd(plan, journal.events, typeof outcome === 'symbol' ? UNFINISHED : outcome),
    (error: unknown) => chatEnd(plan, journal.events, brokenOff(error)),
  );
  return { ok: true, stream: read.request.stream, ended };
}

function chatEnd(plan: ChatPlan, journal: readonly Event[], outcome: Outcome): ChatEnd {
  const generation = foldGeneration([journal]);
  const { provider, model } = splitTarget(generation.targets[0] ?? '');
  const { attempts, paidAttempts } = generation;
  const facts = { provider, model, attempts, paidAttempts, cost: costOf(plan, generation), usage: outcome.usage };
  return { outcome, facts, journal };
}
