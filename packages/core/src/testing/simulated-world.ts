import type { Connection, RunEnvironment } from '../environment.ts';
import { RUN_LIMITS } from '../environment.ts';
import { createHealthBook } from '../health.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { createMemoryAssets } from '../images/memory-assets.ts';
import type { Event, Journal } from '../journal.ts';
import { numberAt, stringAt } from '../json.ts';
import type { Spend } from '../ledger.ts';
import type { Plan } from '../plan.ts';
import type { MilderWords } from '../policy/milder-words.ts';
import { openaiCompatible, parseImages } from '../providers/openai.ts';
import type { CallContext, Handle, Progress, Provider } from '../providers/provider.ts';
import { FREE_TURNS } from '../turns.ts';
import { SAMPLE_BLACK_LOOK, SAMPLE_LOOK } from './samples.ts';
import { type Behaviour, createScriptedIo, type ScriptedIo } from './scripted-io.ts';
import { TINY_GIF_BASE64, TINY_PNG_BASE64 } from './tiny-png.ts';

/** What the provider truly did with a request, whatever our side could see of it. */
export type Truth = 'free' | 'failed' | 'lost' | 'unusable' | 'accepted' | 'doubted' | 'good';

/** A scripted answer together with the truth about the work behind it. */
export interface Play {
  readonly truth: Truth;
  readonly behaviour: Behaviour;
}

/** How one target behaves: its submits in order, and the looks at an accepted job in order; the last of each repeats. */
export interface TargetScript {
  readonly submits: readonly Play[];
  readonly polls: readonly Play[];
}

/** Everything random about a simulated run besides its policy. Times are milliseconds after the run begins. */
export interface Scenario {
  readonly plan: Plan;
  readonly scripts: Readonly<Record<string, TargetScript>>;
  readonly journalMs: number;
  /** The caller leaves at the first of these, comes back at the second, leaves at the third… */
  readonly presenceTurnsMs: readonly number[];
  readonly cancelMs: number | undefined;
  /** What the caller may spend, in millionths of a dollar, and how long it takes to find out; absent: it has no budget. */
  readonly budget?: { readonly microUsd: number; readonly afterMs: number };
  /** What a chat model answers who is asked for milder words. */
  readonly words?: { readonly afterMs: number; readonly answer: MilderWords };
}

/** A request as it was sent, with the events that were durable at that moment. */
export interface SimulatedSend {
  readonly kind: 'submit' | 'poll';
  readonly at: number;
  readonly target: string;
  readonly play: Play;
  readonly durable: readonly Event[];
  /** Other requests that were still open when this one was sent. */
  readonly open: number;
  /** When its answer had come to the last byte; undefined when it never did. */
  readonly answeredAt: () => number | undefined;
  /** Bytes of it may have left. */
  readonly started: () => boolean;
  /** Of a submit: the words it asks for. */
  readonly prompt: string | undefined;
}

/** Money that a run asked for before an attempt. */
export interface AskedMoney {
  readonly spend: Spend;
  readonly isHeld: boolean;
  /** What was durable when it was granted or refused. */
  readonly durable: readonly Event[];
}

export interface World {
  readonly io: ScriptedIo;
  readonly environment: RunEnvironment;
  readonly journal: Journal;
  readonly durable: readonly Event[];
  readonly sends: readonly SimulatedSend[];
  /** What was durable when a chat model was asked for words, of each time. */
  readonly asks: readonly (readonly Event[])[];
  readonly money: readonly AskedMoney[];
}

export const GOOD_BODY = JSON.stringify({ created: 1, data: [{ b64_json: TINY_PNG_BASE64 }] });
/** A whole picture that a look finds black. */
export const DOUBTED_BODY = JSON.stringify({ created: 1, data: [{ b64_json: TINY_GIF_BASE64 }] });
export const ACCEPTED_BODY = JSON.stringify({ job: 'j1' });
const GRACE_MS = 10_000;
/** As if the picture that comes as a GIF were black. */
const look: NonNullable<RunEnvironment['look']> = async ({ type }) =>
  type === 'gif' ? SAMPLE_BLACK_LOOK : SAMPLE_LOOK;

/** OpenAI's protocol with jobs beside it: a submit may answer `{job}`, which `GET …/jobs/{job}` then looks up. */
const jobProvider: Provider = {
  ...openaiCompatible,
  id: 'simulated',
  image: {
    submit: {
      build: ({ prompt }, context) => ({
        ...request('POST', context, 'images'),
        body: { kind: 'json', value: { prompt } },
      }),
      parse,
    },
    poll: { build: (handle, context) => request('GET', context, `jobs/${stringAt(handle, 'job')}`), parse },
  },
};

function request(method: 'GET' | 'POST', context: CallContext, path: string): HttpRequest {
  return { method, url: `${context.baseUrl}/${path}`, headers: {} };
}

function parse(response: HttpResponse): Progress {
  const job = stringAt(response.body, 'job');
  if (job !== undefined)
    return {
      kind: 'waiting',
      handle: { job } satisfies Handle,
      pollAfterMs: numberAt(response.body, 'poll_after_ms') ?? 1_000,
    };
  return parseImages(response);
}

/** A world in virtual time for one run, going on from `past` with a process that knows nothing but the journal. */
export function createWorld(scenario: Scenario, past: readonly Event[] = [], startAt = 0): World {
  const sends: SimulatedSend[] = [];
  const asks: (readonly Event[])[] = [];
  const durable: Event[] = [...past];
  const actors = createActors(scenario, past);
  const io = createScriptedIo((sent) => actors.next(sent).behaviour, startAt);
  let open = 0;

  const send: ScriptedIo['send'] = async (sent, receiver, options) => {
    const before = { at: io.now(), durable: [...durable], open };
    const done = io.send(sent, receiver, options);
    const entry = io.sent.at(-1);
    let answeredAt: number | undefined;
    sends.push({
      ...before,
      ...actors.last(),
      answeredAt: () => answeredAt,
      started: () => entry?.started ?? false,
      prompt: sent.body?.kind === 'json' ? stringAt(sent.body.value, 'prompt') : undefined,
    });
    open += 1;
    try {
      await done;
      answeredAt = io.now();
    } finally {
      open -= 1;
    }
  };
  const journal = slowJournal(durable, scenario.journalMs, io);
  const rewriteWith = wordsOf(scenario, io, () => asks.push([...durable]));
  const money: AskedMoney[] = [];
  const afford = moneyOf(scenario, io, (asked) => money.push({ ...asked, durable: [...durable] }));
  const environment = {
    ...environmentOf(scenario, { ...io, send }),
    ...(rewriteWith && { rewriteWith }),
    ...(afford && { afford }),
  };
  return { io, environment, journal, durable, sends, asks, money };
}

/** One budget for one run; what is not known is more than it has. */
function moneyOf(
  { budget }: Scenario,
  io: ScriptedIo,
  onAsk: (asked: Omit<AskedMoney, 'durable'>) => void,
): RunEnvironment['afford'] {
  if (budget === undefined) return undefined;
  return async (spend) => {
    await new Promise<void>((resolve) => io.timer(io.now() + budget.afterMs, resolve));
    const isHeld = spend.microUsd !== undefined && spend.microUsd <= budget.microUsd;
    onAsk({ spend, isHeld });
    return isHeld ? undefined : { kind: 'budget', certainty: 'not_sent', message: 'nothing is left' };
  };
}

function wordsOf({ words }: Scenario, io: ScriptedIo, onAsk: () => void): RunEnvironment['rewriteWith'] {
  if (words === undefined) return undefined;
  return async (_asked, signal) => {
    onAsk();
    await new Promise<void>((resolve) => {
      io.timer(io.now() + words.afterMs, resolve);
      signal.addEventListener('abort', () => resolve());
    });
    return signal.aborted ? { ok: false, why: 'it was canceled' } : words.answer;
  };
}

type Cue = Pick<SimulatedSend, 'kind' | 'target' | 'play'>;

/** Plays the scripts; submits that the past already tells of are not played again. */
function createActors(scenario: Scenario, past: readonly Event[]) {
  const played = countStarts(past);
  let last: Cue | undefined;
  return {
    next({ method, url }: HttpRequest): Play {
      const kind = method === 'POST' ? 'submit' : 'poll';
      const target = targetOf(url);
      const key = `${kind} ${target}`;
      const index = played.get(key) ?? 0;
      played.set(key, index + 1);
      const script = scenario.scripts[target];
      const plays = (kind === 'submit' ? script?.submits : script?.polls) ?? [];
      const play = plays[Math.min(index, plays.length - 1)];
      if (play === undefined) throw new Error(`no script for ${key}`);
      last = { kind, target, play };
      return play;
    },
    last(): Cue {
      if (last === undefined) throw new Error('nothing was played yet');
      return last;
    },
  };
}

function countStarts(past: readonly Event[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of past) {
    if (event.type !== 'attempt-started') continue;
    const key = `submit ${event.target}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function targetOf(url: string): string {
  return `${new URL(url).hostname}/model`;
}

/** Events are durable only when the append resolves; a crash before that loses them. */
function slowJournal(durable: Event[], delayMs: number, io: ScriptedIo): Journal {
  return {
    events: durable.slice(),
    async append(events) {
      await new Promise<void>((resolve) => io.timer(io.now() + delayMs, resolve));
      durable.push(...events);
    },
  };
}

function environmentOf(scenario: Scenario, io: ScriptedIo): RunEnvironment {
  const turns = scenario.presenceTurnsMs;
  const cancel = new AbortController();
  if (scenario.cancelMs !== undefined) io.timer(scenario.cancelMs, () => cancel.abort());
  return {
    io,
    assets: createMemoryAssets(),
    look,
    health: createHealthBook(),
    turns: FREE_TURNS,
    connection: (id): Connection => ({
      id,
      provider: jobProvider,
      baseUrl: `http://${id}`,
      secret: 'sk-simulated-secret',
    }),
    presence: () => {
      const past = turns.filter((turn) => turn <= io.now());
      const absentSince = past.length % 2 === 1 ? past.at(-1) : undefined;
      return { unsentGraceMs: GRACE_MS, ...(absentSince !== undefined && { absentSince }) };
    },
    onPresence: (callback) => {
      const ahead = turns.filter((turn) => turn > io.now()).map((turn) => io.timer(turn, callback));
      return () => {
        for (const stop of ahead) stop();
      };
    },
    cancel: cancel.signal,
    park: new AbortController().signal,
    limits: RUN_LIMITS,
  };
}
