import assert from 'node:assert/strict';
import type { RunEnvironment } from '../environment.ts';
import type { HttpRequest } from '../http.ts';
import type { Event, Outcome } from '../journal.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import type { Plan } from '../plan.ts';
import { openaiCompatible } from '../providers/openai.ts';
import type { ImageCalls, Provider } from '../providers/provider.ts';
import { PARKED, run } from '../run.ts';
import { samplePlan } from './samples.ts';
import type { Behaviour } from './scripted-io.ts';
import { createWorld } from './simulated-world.ts';

/** A good answer. */
export const ok = (body: JsonValue | string, afterMs = 10, headers: Record<string, string> = {}): Behaviour => ({
  ...{ kind: 'answer', afterMs, status: 200, headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
/** An error in an envelope of the provider's own. */
export const refused = (status: number): Behaviour => ({
  ...{ kind: 'answer', afterMs: 10, status },
  body: JSON.stringify({ error: { message: 'no', type: 'server_error' } }),
});
export interface ScriptedCalls {
  readonly submits: readonly Behaviour[];
  readonly polls?: readonly Behaviour[];
  readonly calls: Pick<ImageCalls, 'submit'> & Partial<ImageCalls>;
  readonly plan?: Partial<Plan>;
  readonly environment?: Partial<RunEnvironment>;
  readonly past?: readonly Event[];
  readonly startAt?: number;
  /** Compressing takes real time, in which the virtual clock would find that nothing is left to happen. */
  readonly compresses?: true;
}

/** One run to its end against an adapter and its peer, both scripted; looks and fetches play `polls`. */
export async function runScripted({
  submits,
  polls = [],
  calls,
  plan,
  environment,
  past,
  startAt,
  compresses,
}: ScriptedCalls) {
  const plays = (behaviours: readonly Behaviour[]) =>
    behaviours.map((behaviour) => ({ truth: 'free' as const, behaviour }));
  const whole: Plan = { ...samplePlan(), ...plan };
  const script = { submits: plays(submits), polls: plays(polls) };
  const scripts = { 'a/model': script, 'b/model': script };
  const scenario = { plan: whole, scripts, journalMs: 1, presenceTurnsMs: [], cancelMs: undefined };
  const world = createWorld(scenario, past, startAt);
  const connection = (id: string) => {
    const made = world.environment.connection(id);
    return made && { ...made, provider: { ...openaiCompatible, image: calls } satisfies Provider };
  };
  const requests: HttpRequest[] = [];
  const { io } = world.environment;
  const send: typeof io.send = (request, receiver, options) => {
    requests.push(request);
    return io.send(request, receiver, options);
  };
  const changed: RunEnvironment = { ...world.environment, connection, ...environment, io: { ...io, send } };
  if (compresses) tick(world.io);
  const outcome = await world.io.drive(run('run', whole, world.journal, changed));
  assert.ok(outcome !== PARKED);
  return { outcome, requests, durable: world.durable, at: world.io.now() };
}

function tick(io: Pick<RunEnvironment['io'], 'now' | 'timer'>): void {
  io.timer(io.now() + 1, () => tick(io));
}

export function failed(outcome: Outcome) {
  assert.ok(!outcome.ok);
  return outcome.failure;
}

export function bodyOf(request: HttpRequest | undefined): JsonObject {
  assert.ok(request?.body?.kind === 'json' && isObject(request.body.value));
  return request.body.value;
}

export const post = (baseUrl: string, path: string, value: JsonObject, free?: true): HttpRequest => ({
  ...{ method: 'POST', url: `${baseUrl}/${path}`, headers: {}, body: { kind: 'json', value } },
  ...(free && { free }),
});
