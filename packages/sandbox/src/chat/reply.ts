import { randomBytes } from 'node:crypto';
import type { ChatCourse } from '../faults/chat-course.ts';
import type { ChatCall, ToolOffer } from './call.ts';
import { sampleOf } from './schema.ts';
import { countTokens, endlessText, piecesOf } from './tokens.ts';

/** What the model says, token by token. */
export interface Reply {
  readonly kind: 'text' | 'refusal' | 'calls';
  readonly finish: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  readonly choices: number;
  /** Tokens of all choices, what is thought aloud among them; each is one step of a stream. */
  readonly steps: number;
  stepAt(index: number): Step;
  /** Tools called, the same ones in each choice. */
  readonly calls: readonly ToolCall[];
  /** Thought aloud, before anything else; of the first choice. */
  readonly reasoning: string;
  /** Thought in silence. */
  readonly hiddenTokens: number;
  /** What a choice says in words, whole. */
  textOf(choice: number): string;
}

/** One token. */
export interface Step {
  readonly kind: 'reasoning' | 'text' | 'refusal' | 'call';
  readonly choice: number;
  readonly text: string;
  /** Of a `call`: which one. */
  readonly call?: number;
  /** Of a `call`: it begins here, and its name is this token. */
  readonly begins?: true;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON, as far as the tokens reach. */
  readonly arguments: string;
}

const DEFAULT_TOKENS = 40;
const HIDDEN_TOKENS = 16;
const CUE = /\buse the tool(s?)\b/iu;
const REFUSAL = "I'm sorry, but I can't help with that request.";
const REASONING = 'The user wrote something. I repeat it and go on from there.';

/** What comes of a call: a text of 40 tokens, or JSON, a tool call or a refusal where they are asked for. */
export function replyTo(call: ChatCall, course: ChatCourse): Reply {
  const aloud = course.reasoning ? piecesOf(REASONING) : [];
  const room = call.maxTokens ?? Number.POSITIVE_INFINITY;
  const hidden = call.reasons && !course.reasoning ? Math.min(HIDDEN_TOKENS, Math.floor(room / 2)) : 0;
  const left = Math.max(0, room - hidden - aloud.length);
  const offers = course.answers === undefined ? calledTools(call) : [];
  const spoken = offers.length > 0 ? callPieces(call, offers) : saidPieces(call, course);
  const count = Math.min(spoken.count, left);
  const pieces = course.answers === 'filtered' ? Math.floor(count / 2) : count;
  const kept = { ...spoken, count: pieces };
  const finish = course.answers === 'filtered' ? 'content_filter' : count < spoken.count ? 'length' : spoken.finish;
  return {
    kind: spoken.kind,
    finish,
    choices: call.n,
    steps: aloud.length + pieces * call.n,
    stepAt: (index) => {
      const thought = aloud[index];
      if (thought !== undefined) return { kind: 'reasoning', choice: 0, text: thought };
      const place = index - aloud.length;
      return kept.stepAt(place % call.n, Math.floor(place / call.n));
    },
    calls: spoken.kind === 'calls' ? callsIn(kept) : [],
    reasoning: aloud.join(''),
    hiddenTokens: hidden,
    textOf: (choice) => joined(kept, choice, (step) => step.kind === 'text' || step.kind === 'refusal'),
  };
}

interface Pieces {
  readonly kind: Reply['kind'];
  readonly finish: Reply['finish'];
  readonly count: number;
  readonly stepAt: (choice: number, index: number) => Step;
}

function joined({ count, stepAt }: Pieces, choice: number, which: (step: Step) => boolean): string {
  const texts: string[] = [];
  for (let index = 0; index < count; index++) {
    const step = stepAt(choice, index);
    if (which(step)) texts.push(step.text);
  }
  return texts.join('');
}

function saidPieces(call: ChatCall, course: ChatCourse): Pieces {
  if (course.answers === 'refusal') return fixedPieces('refusal', piecesOf(REFUSAL));
  if (call.form) return fixedPieces('text', piecesOf(JSON.stringify(formedAnswer(call))));
  const texts = Array.from({ length: call.n }, (_, choice) => endlessText(call.model, call.said, choice));
  const stepAt = (choice: number, index: number): Step => {
    return { kind: 'text', choice, text: texts[choice]?.(index) ?? '' };
  };
  return { kind: 'text', finish: 'stop', count: course.tokens ?? DEFAULT_TOKENS, stepAt };
}

function formedAnswer({ form, said }: ChatCall): unknown {
  const text = said.slice(0, 100);
  return form?.schema === undefined ? { answer: text } : sampleOf(form.schema, text);
}

function fixedPieces(kind: 'text' | 'refusal', pieces: readonly string[]): Pieces {
  const stepAt = (choice: number, index: number): Step => ({ kind, choice, text: pieces[index] ?? '' });
  return { kind, finish: 'stop', count: pieces.length, stepAt };
}

/** The tools that the caller makes the model use, or cues by "use the tool"; "use the tools" means each of them. */
function calledTools({ tools, toolChoice, toolAnswered, said }: ChatCall): readonly ToolOffer[] {
  if (toolAnswered || toolChoice === 'none') return [];
  if (typeof toolChoice === 'object') return tools.filter(({ name }) => name === toolChoice.name);
  const cue = CUE.exec(said);
  if (toolChoice === 'auto' && !cue) return [];
  const named = tools.find(({ name }) => said.includes(name));
  return cue?.[1] ? tools : [named, ...tools].flatMap((tool) => tool ?? []).slice(0, 1);
}

function callPieces({ said }: ChatCall, offers: readonly ToolOffer[]): Pieces {
  const text = said.slice(0, 100);
  const steps = offers.flatMap(({ name, schema }, call) => [
    { kind: 'call', call, text: name, begins: true } as const,
    ...piecesOf(JSON.stringify(sampleOf(schema ?? { type: 'object' }, text))).map(
      (piece) => ({ kind: 'call', call, text: piece }) as const,
    ),
  ]);
  const none = { kind: 'call', text: '' } as const;
  return {
    ...{ kind: 'calls', finish: 'tool_calls', count: steps.length },
    stepAt: (choice, index) => ({ ...(steps[index] ?? none), choice }),
  };
}

function callsIn(pieces: Pieces): readonly ToolCall[] {
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (let index = 0; index < pieces.count; index++) {
    const { text, begins } = pieces.stepAt(0, index);
    const open = calls.at(-1);
    if (begins) calls.push({ id: `call_${randomBytes(12).toString('hex')}`, name: text, arguments: '' });
    else if (open) open.arguments += text;
  }
  return calls;
}

/** What was used, in tokens. */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  /** Of the output. */
  readonly reasoning: number;
}

/** What was used when `made` steps of a reply are made. */
export function usageOf(call: ChatCall, cached: number, reply: Reply, made: number): Usage {
  const aloud = Math.min(made, piecesOf(reply.reasoning).length);
  const hidden = made > 0 || reply.steps === 0 ? reply.hiddenTokens : 0;
  return {
    input: countTokens(call.input, call.pictures),
    cached,
    output: made + hidden,
    reasoning: aloud + hidden,
  };
}
