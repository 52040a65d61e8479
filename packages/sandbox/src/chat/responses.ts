import { CHAT_ERRORS, type ChatErrorCode } from '../faults/chat-course.ts';
import { unixSeconds } from '../wire/images.ts';
import { type ChatCall, objectOf } from './call.ts';
import { type Reply, type Usage, usageOf } from './reply.ts';
import { createItems } from './response-items.ts';
import { eventOf, newId, type Quirks, type Wire } from './wire.ts';

/** A reply as POST /v1/responses answers it: named events with a sequence number, one output item after the other. */
export function responsesWire(call: ChatCall, reply: Reply, quirks: Quirks): Wire {
  const head = headOf(call);
  let sequence = 0;
  const event = (type: string, fields: object) => eventOf({ type, sequence_number: sequence++, ...fields }, type);
  const items = createItems(reply, event);
  const lists = quirks.answers !== 'empty' && quirks.answers !== 'absent';
  const told = (made: number) => responseUsage(usageOf(call, quirks.cached, reply, made), quirks);
  const running = () => ({
    ...head,
    status: 'in_progress',
    output: [],
    usage: quirks.usage === 'every' ? told(0) : null,
  });
  const incomplete = reply.finish === 'length' || reply.finish === 'content_filter';
  const ended = () => ({
    ...head,
    status: incomplete ? 'incomplete' : 'completed',
    ...(!incomplete && { completed_at: unixSeconds() }),
    incomplete_details: incomplete ? { reason: reasonOf(reply.finish) } : null,
    ...(quirks.answers !== 'absent' && { output: lists ? items.all() : [] }),
    usage: quirks.usage === 'none' ? null : told(reply.steps),
  });
  const broken = (code: ChatErrorCode, made: number) => {
    const error = { code, message: CHAT_ERRORS[code][2] };
    return { ...head, status: 'failed', output: [], error, usage: made > 0 ? told(made) : null };
  };

  const begun = () =>
    event('response.created', { response: running() }) + event('response.in_progress', { response: running() });

  return {
    opening: () => begun() + (lists ? items.begin(0) : ''),
    step: (index) => (lists ? items.step(index) : ''),
    finish: () =>
      (lists ? items.end() : '') +
      event(incomplete ? 'response.incomplete' : 'response.completed', { response: ended() }),
    ...{ usage: '', done: '' },
    failure(code, as, made) {
      const before = sequence === 0 ? begun() : '';
      if (as === 'failed') return before + event('response.failed', { response: broken(code, made) });
      const [, , message] = CHAT_ERRORS[code];
      return before + event('error', { code, message, param: null });
    },
    whole: ended,
    failed: (code) => broken(code, 0),
  };
}

function reasonOf(finish: Reply['finish']): string {
  return finish === 'length' ? 'max_output_tokens' : 'content_filter';
}

/** What a response says again of its request. */
function headOf({ values, model, maxTokens }: ChatCall): Record<string, unknown> {
  return {
    id: newId('resp_'),
    object: 'response',
    created_at: unixSeconds(),
    model,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: values.instructions ?? null,
    max_output_tokens: maxTokens ?? null,
    metadata: objectOf(values.metadata) ?? {},
    parallel_tool_calls: values.parallel_tool_calls ?? true,
    previous_response_id: values.previous_response_id ?? null,
    reasoning: objectOf(values.reasoning) ?? { effort: null, summary: null },
    service_tier: 'default',
    store: values.store ?? true,
    temperature: values.temperature ?? 1,
    text: objectOf(values.text) ?? { format: { type: 'text' } },
    tool_choice: values.tool_choice ?? 'auto',
    tools: Array.isArray(values.tools) ? values.tools : [],
    top_p: values.top_p ?? 1,
    truncation: values.truncation ?? 'disabled',
    user: values.user ?? null,
  };
}

function responseUsage({ input, cached, output, reasoning }: Usage, { usage }: Quirks): object {
  if (usage === 'odd') return { input_tokens: input, output_tokens: output, total_tokens: input + output * 2 + 7 };
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
