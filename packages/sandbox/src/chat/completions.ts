import { CHAT_ERRORS, type ChatErrorCode } from '../faults/chat-course.ts';
import { envelopeOf } from '../wire/answer.ts';
import { unixSeconds } from '../wire/images.ts';
import type { ChatCall } from './call.ts';
import { type Reply, type Step, type ToolCall, type Usage, usageOf } from './reply.ts';
import { eventOf, newId, type Quirks, type Wire } from './wire.ts';

/** A reply as POST /v1/chat/completions answers it. */
export function completionsWire(call: ChatCall, reply: Reply, quirks: Quirks): Wire {
  const head = { id: newId('chatcmpl-'), created: unixSeconds(), model: call.model };
  const tail = { service_tier: 'default', system_fingerprint: null };
  const told = (made: number) => completionUsage(usageOf(call, quirks.cached, reply, made), quirks);
  const wanted = quirks.usage !== 'none' && (call.includeUsage || quirks.usage !== undefined);
  const usageField = (made: number) => {
    if (quirks.usage === 'every') return { usage: told(made) };
    return call.includeUsage && quirks.usage !== 'none' ? { usage: null } : {};
  };
  const chunk = (choices: readonly object[], made: number) =>
    eventOf({ ...head, object: 'chat.completion.chunk', ...tail, choices, ...usageField(made) });
  const delta = (index: number, fields: object, finish: string | null = null) => {
    return { index, delta: fields, logprobs: null, finish_reason: finish };
  };
  const choices = Array.from({ length: reply.choices }, (_, index) => index);
  const lists = quirks.answers !== 'empty' && quirks.answers !== 'absent';
  const first = (reply.kind === 'calls' && { content: null }) || { content: '' };

  return {
    opening: () =>
      lists
        ? choices.map((index) => chunk([delta(index, { role: 'assistant', ...first, refusal: null })], 0)).join('')
        : '',
    step: (index) => {
      const step = reply.stepAt(index);
      return chunk(lists ? [delta(step.choice, deltaOf(step, reply.calls))] : [], index + 1);
    },
    finish: () => (lists ? choices.map((index) => chunk([delta(index, {}, reply.finish)], reply.steps)).join('') : ''),
    usage: wanted
      ? eventOf({ ...head, object: 'chat.completion.chunk', ...tail, choices: [], usage: told(reply.steps) })
      : '',
    done: 'data: [DONE]\n\n',
    failure: (code) => eventOf(errorOf(code)),
    whole: () => ({
      ...{ ...head, object: 'chat.completion', ...tail },
      ...(quirks.answers !== 'absent' && {
        choices: lists ? choices.map((index) => choiceOf(reply, index)) : [],
      }),
      ...(quirks.usage !== 'none' && { usage: told(reply.steps) }),
    }),
    failed: () => undefined,
  };
}

/** OpenAI's envelope, as it stands in a stream. */
export function errorOf(code: ChatErrorCode): object {
  const [, type, message] = CHAT_ERRORS[code];
  return envelopeOf({ message, type, code });
}

function deltaOf({ kind, text, call = 0, begins }: Step, calls: readonly ToolCall[]): object {
  switch (kind) {
    case 'reasoning':
      return { reasoning_content: text };
    case 'refusal':
      return { refusal: text };
    case 'text':
      return { content: text };
    default: {
      if (!begins) return { tool_calls: [{ index: call, function: { arguments: text } }] };
      const begun = { index: call, id: calls[call]?.id, type: 'function', function: { name: text, arguments: '' } };
      return { tool_calls: [begun] };
    }
  }
}

function choiceOf(reply: Reply, index: number): object {
  const text = reply.textOf(index);
  const message = {
    role: 'assistant',
    content: reply.kind === 'text' ? text : null,
    refusal: reply.kind === 'refusal' ? text : null,
    annotations: [],
    ...(reply.reasoning !== '' && index === 0 && { reasoning_content: reply.reasoning }),
    ...(reply.kind === 'calls' && {
      tool_calls: reply.calls.map(({ id, name, arguments: json }) => ({
        ...{ id, type: 'function' },
        function: { name, arguments: json },
      })),
    }),
  };
  return { index, message, logprobs: null, finish_reason: reply.finish };
}

function completionUsage({ input, cached, output, reasoning }: Usage, { usage }: Quirks): object {
  if (usage === 'odd') return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output * 2 + 7 };
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
