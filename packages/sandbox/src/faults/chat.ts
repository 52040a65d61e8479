import type { Refusal } from '../wire/answer.ts';
import { CHAT_ERROR_CODES, type ChatErrorCode, type ChatFault, type ChatUsageQuirk } from './chat-course.ts';
import type { Fault, NumberArgument } from './fault.ts';
import { WORKING_FAULTS } from './pictures.ts';
import { REFUSING_FAULTS } from './refusals.ts';
import { type Cue, readCues, textOf, type Vocabulary } from './script.ts';

const MAX_SECONDS = 3600;
const MAX_TOKENS = 1_000_000;
const MAX_RATE = 1_000_000;
const SUCCESSOR = 'gpt-5.6-luna';

function seconds(example: number): NumberArgument {
  return { unit: 'seconds', required: true, maximum: MAX_SECONDS, example };
}

function milliseconds(value: number | undefined): number {
  return (value ?? 0) * 1000;
}

const ERROR_WORD = { words: CHAT_ERROR_CODES, required: false, example: 'server_error' } as const;
const USAGE_WORD = { words: ['odd', 'none', 'every'], required: false, example: 'odd' } as const;

function errorCode(word: string | undefined, usual: ChatErrorCode): ChatErrorCode {
  return CHAT_ERROR_CODES.find((code) => code === word) ?? usual;
}

/** Faults of streams and their pace; what they are to a whole answer stands in the second half of the sentence. */
const STREAM_FAULTS: readonly ChatFault[] = [
  { name: 'ok', sentence: 'Answers with text, a few milliseconds a token.', charges: true, plays: () => ({}) },
  {
    name: 'pace',
    sentence: 'Makes R tokens per second; a whole answer comes when the last one is made.',
    argument: { unit: 'tokens a second', required: true, maximum: MAX_RATE, example: 5 },
    charges: true,
    plays: ({ value }) => ({ tokensPerSecond: value ?? 0 }),
  },
  {
    name: 'tokens',
    sentence: 'Answers with a text of N tokens.',
    argument: { unit: 'tokens', required: true, maximum: MAX_TOKENS, example: 200 },
    charges: true,
    plays: ({ value }) => ({ tokens: value ?? 0 }),
  },
  {
    name: 'slow',
    sentence: 'Sends nothing for S seconds, then answers.',
    argument: seconds(4),
    charges: true,
    plays: ({ value }) => ({ answerAfterMs: milliseconds(value) }),
  },
  {
    name: 'slow-first',
    sentence: 'Sends the head of the stream at once and the first content after S seconds; a whole answer comes then.',
    argument: seconds(4),
    charges: true,
    plays: ({ value }) => ({ firstAfterMs: milliseconds(value) }),
  },
  {
    name: 'stall-mid-stream',
    sentence: 'Sends half of the tokens, or of the body, then nothing more, and leaves the connection open.',
    charges: true,
    plays: () => ({ breaks: { at: 'middle', how: 'silence' } }),
  },
  {
    name: 'die-before-first',
    sentence:
      'Sends status, headers and prelude, then resets the connection; before a whole answer it is reset at once.',
    charges: true,
    plays: () => ({ breaks: { at: 'prelude', how: 'reset' } }),
  },
  {
    name: 'die-mid-stream',
    sentence: 'Sends half of the tokens, or of the body, then resets the connection.',
    charges: true,
    plays: () => ({ breaks: { at: 'middle', how: 'reset' } }),
  },
  {
    name: 'error-first-frame',
    sentence: 'Answers 200 and streams an error before any content; a whole answer is refused with its status.',
    argument: ERROR_WORD,
    charges: false,
    plays: ({ word }) => ({ fails: { at: 'first', code: errorCode(word, 'rate_limit_exceeded'), as: 'error' } }),
  },
  {
    name: 'error-mid-stream',
    sentence: 'Streams half of the tokens, then an error; a whole answer is refused with its status, and charged.',
    argument: ERROR_WORD,
    charges: true,
    plays: ({ word }) => ({ fails: { at: 'middle', code: errorCode(word, 'server_error'), as: 'error' } }),
  },
  {
    name: 'failed',
    sentence: 'The Responses API answers with a response that failed; the others do as error-first-frame does.',
    argument: ERROR_WORD,
    charges: false,
    plays: ({ word }) => ({ fails: { at: 'first', code: errorCode(word, 'server_error'), as: 'failed' } }),
  },
  {
    name: 'failed-mid-stream',
    sentence: 'The Responses API streams half of the tokens, then that it failed; the others do as error-mid-stream.',
    argument: ERROR_WORD,
    charges: true,
    plays: ({ word }) => ({ fails: { at: 'middle', code: errorCode(word, 'server_error'), as: 'failed' } }),
  },
  {
    name: 'no-done',
    sentence: 'Ends the stream cleanly without [DONE]; no-done:cut also without a finish. A whole answer is cut short.',
    argument: { words: ['cut'], required: false, example: 'cut' },
    charges: true,
    plays: ({ word }) => (word === undefined ? { ends: 'no-done' } : { ends: 'cut' }),
  },
  {
    name: 'half-event',
    sentence: 'Ends the stream cleanly in the middle of an event; a whole answer in the middle of its JSON.',
    charges: true,
    plays: () => ({ ends: 'half-event' }),
  },
  {
    name: 'garbage-event',
    sentence: 'Streams an event that is no JSON among good ones; a whole answer ends in the middle of its JSON.',
    charges: true,
    plays: () => ({ garbage: true }),
  },
  {
    name: 'comments',
    sentence:
      'Streams keep-alive comments before the first content and between events; a whole answer comes after blanks.',
    charges: true,
    plays: () => ({ comments: true }),
  },
  {
    name: 'reasoning',
    sentence: 'Says its reasoning before the content: reasoning_content, or a reasoning item of the Responses API.',
    charges: true,
    plays: () => ({ reasoning: true }),
  },
  {
    name: 'usage',
    sentence:
      'Adds usage unasked; usage:odd contradicts itself, usage:none leaves it out, usage:every has it everywhere.',
    argument: USAGE_WORD,
    charges: true,
    plays: ({ word }) => ({ usage: (word as ChatUsageQuirk | undefined) ?? 'unasked' }),
  },
  {
    name: 'policy-output',
    sentence: 'Half of the text, then moderation stops it: finish_reason content_filter, or an incomplete response.',
    charges: true,
    plays: () => ({ answers: 'filtered' }),
  },
  {
    name: 'refusal',
    sentence: 'The model declines: a refusal in the place of the text.',
    charges: true,
    plays: () => ({ answers: 'refusal' }),
  },
];

/** Faults known from pictures, whose bodies and connections are those of any answer. */
const SHARED: Readonly<Record<string, ChatFault['plays']>> = {
  'reset-after-accept': () => ({ breaks: { at: 'before', how: 'reset' } }),
  'reset-mid-body': () => ({ breaks: { at: 'middle', how: 'reset' } }),
  'hang-after-accept': () => ({ breaks: { at: 'before', how: 'silence' } }),
  'stall-mid-body': () => ({ breaks: { at: 'middle', how: 'silence' } }),
  empty: () => ({ answers: 'empty' }),
  'no-data': () => ({ answers: 'absent' }),
  'truncated-json': () => ({ cut: true, ends: 'half-event' }),
};
const PAGES = ['502-html', '504', 'html'];

const OWN_REFUSALS: Readonly<Record<string, readonly [sentence: string, refusal: (model: string) => Refusal]>> = {
  '400': [
    'Answers 400: the input is longer than the context of the model.',
    () => ({
      ...{ status: 400, reason: 'invalid', param: 'messages', code: 'context_length_exceeded' },
      message: "This model's maximum context length is 128000 tokens. Please reduce the length of the messages.",
    }),
  ],
  policy: [
    'Answers 400: the input was blocked by moderation, no work was done.',
    () => ({
      ...{ status: 400, reason: 'policy', code: 'content_policy_violation' },
      message: 'Your request was rejected as a result of our safety system. safety_violations=[violence].',
    }),
  ],
  retired: [
    'Answers 404: the model was shut down; the message names its successor.',
    (model) => ({
      ...{ status: 404, reason: 'retired', code: 'model_not_found' },
      message: `The model '${model}' was shut down and is no longer available. Use its successor '${SUCCESSOR}' instead.`,
    }),
  ],
};

/** Every fault of chat and embeddings, by name. */
export const CHAT_FAULTS: ReadonlyMap<string, ChatFault> = new Map(
  [...WORKING_FAULTS.flatMap(sharedFault), ...REFUSING_FAULTS.flatMap(refusingFault), ...STREAM_FAULTS].map((fault) => [
    fault.name,
    fault,
  ]),
);

function sharedFault({ act, ...named }: Fault): readonly ChatFault[] {
  const plays = SHARED[named.name];
  if (plays) return [{ ...named, plays }];
  if (act.kind !== 'page' || !PAGES.includes(named.name)) return [];
  const { status, html } = act;
  return [{ ...named, plays: () => ({ page: { status, html } }) }];
}

function refusingFault({ act, ...named }: Fault): readonly ChatFault[] {
  const own = OWN_REFUSALS[named.name];
  if (own) {
    const [sentence, refusal] = own;
    return [{ ...named, sentence, plays: () => ({ refusal: ({ model }) => refusal(model) }) }];
  }
  if (act.kind === 'page') return [{ ...named, plays: () => ({ page: { status: act.status, html: act.html } }) }];
  if (act.kind !== 'refuse') return [];
  return [{ ...named, plays: ({ value }) => ({ refusal: (known) => act.refusal({ ...known, value }) }) }];
}

const CHAT_WORDS: Vocabulary<ChatFault> = { faults: CHAT_FAULTS, prefixes: ['sandbox/'] };

/** One entry of a script of chat: faults joined by `+`, such as `pace:5+tokens:300+die-mid-stream`. */
export type ChatCue = readonly Cue<ChatFault>[];

/**
 * Reads what a request of chat names, one cue per entry between commas. As with pictures, a model that is no fault
 * behaves as `ok`, and a misspelled fault is a 404 with near matches; a plus joins faults that are played together.
 */
export function readChatScript(model: string, fault: string | undefined): readonly ChatCue[] {
  const text = fault ?? model;
  const entries = text.split(',').map((entry) => entry.split('+'));
  const joined = fault !== undefined || entries.length > 1 || isFault(entries[0]?.[0] ?? '');
  const cues = joined ? readCues(CHAT_WORDS, ...asList(model, fault)) : [...readCues(CHAT_WORDS, model, fault)];
  if (!joined) return [cues];
  const left = [...cues];
  return entries.map(({ length }) => left.splice(0, length));
}

function asList(model: string, fault: string | undefined): [model: string, fault: string | undefined] {
  return [model.replaceAll('+', ','), fault?.replaceAll('+', ',')];
}

function isFault(text: string): boolean {
  const [name = ''] = text
    .replace(/^sandbox\//u, '')
    .trim()
    .split(':');
  return CHAT_FAULTS.has(name);
}

/** How a cue is written. */
export function chatTextOf(cue: ChatCue): string {
  return cue.map(textOf).join('+');
}
