import fc from 'fast-check';
import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParams,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { EmbeddingCreateParams } from 'openai/resources/embeddings';
import type {
  EasyInputMessage,
  ResponseCreateParamsNonStreaming,
  ResponseInputContent,
  ResponseInputItem,
  Tool,
} from 'openai/resources/responses/responses';
import type { Reasoning } from 'openai/resources/shared';

/** Requests of every shape that OpenAI's own types allow, as its SDK writes them: what is generated must be accepted. */

const text = fc.oneof(fc.string(), fc.constantFrom('', ' ', 'Grüße 🐟', '"\\'));
const id = fc.string({ minLength: 1, maxLength: 8 });
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const json = fc.constantFrom('{}', '{"city":"Oslo"}', '', '[');
const url = fc.constantFrom('https://a.example/cat.png', 'data:image/png;base64,iVBORw0KGgo=', 'http://127.0.0.1/x');

/** Fields that may be left out. */
function some<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record<T, never>(shape, { requiredKeys: [] });
}

const textPart = fc.record({ type: fc.constant('text' as const), text });
const userPart: fc.Arbitrary<ChatCompletionContentPart> = fc.oneof(
  textPart,
  fc.record({
    type: fc.constant('image_url' as const),
    image_url: fc.record({ url, detail: fc.constantFrom('auto' as const, 'high' as const) }),
  }),
  fc.record({ type: fc.constant('image_url' as const), image_url: fc.record({ url }) }),
  fc.record({
    type: fc.constant('input_audio' as const),
    input_audio: fc.record({ data: fc.base64String(), format: fc.constantFrom('wav' as const, 'mp3' as const) }),
  }),
  fc.record({
    type: fc.constant('file' as const),
    file: some({ file_data: fc.base64String(), file_id: id, filename: name }),
  }),
);
const texts = fc.oneof(text, fc.array(textPart, { maxLength: 3 }));
const refusalPart = fc.record({ type: fc.constant('refusal' as const), refusal: text });

/** One message, as a turn of its own. */
function alone(message: fc.Arbitrary<ChatCompletionMessageParam>): fc.Arbitrary<ChatCompletionMessageParam[]> {
  return message.map((one) => [one]);
}

const assistant = fc.constant('assistant' as const);
const answeredCall = fc.record({ id, custom: fc.boolean(), name, said: json, answer: texts });
/** A call of tools with an answer to each. */
const toolTurn = fc
  .uniqueArray(answeredCall, { minLength: 1, maxLength: 3, selector: (one) => one.id })
  .map((calls): ChatCompletionMessageParam[] => [
    {
      role: 'assistant',
      tool_calls: calls.map((call) =>
        call.custom
          ? { type: 'custom', id: call.id, custom: { name: call.name, input: call.said } }
          : { type: 'function', id: call.id, function: { name: call.name, arguments: call.said } },
      ),
    },
    ...calls.map((call) => ({ role: 'tool' as const, tool_call_id: call.id, content: call.answer })),
  ]);
const turn = fc.oneof(
  alone(fc.record({ role: fc.constantFrom('system', 'developer'), content: texts })),
  alone(fc.record({ role: fc.constant('user'), content: fc.oneof(text, fc.array(userPart, { maxLength: 3 })) })),
  alone(fc.record({ role: assistant, content: fc.oneof(text, fc.array(fc.oneof(textPart, refusalPart))) })),
  alone(fc.record({ role: assistant, content: fc.constant(null), refusal: text })),
  alone(fc.record({ role: assistant, audio: fc.record({ id }) })),
  alone(fc.record({ role: assistant, function_call: fc.record({ name, arguments: json }) })),
  alone(fc.record({ role: fc.constant('function'), name, content: fc.constant(null) })),
  toolTurn,
);

const chatTool = fc.oneof(
  fc.record({ type: fc.constant('function' as const), function: fc.record({ name }) }),
  fc.record({ type: fc.constant('custom' as const), custom: fc.record({ name }) }),
);

export const chatRequests: fc.Arbitrary<ChatCompletionCreateParams> = fc
  .record({
    turns: fc.array(turn, { minLength: 1, maxLength: 4 }),
    settings: some({
      tools: fc.array(chatTool, { maxLength: 2 }),
      stream: fc.constantFrom(true as const, false as const, null),
      temperature: fc.constantFrom(0, 2, null),
      max_completion_tokens: fc.constantFrom(16, null),
      reasoning_effort: fc.constantFrom('none' as const, 'minimal' as const, 'max' as const, null),
      metadata: fc.constantFrom(null, { a: 'b' }),
      stop: fc.constantFrom(null, 'x', ['x']),
    }),
  })
  .map(
    ({ turns, settings }): ChatCompletionCreateParams => ({ model: 'gpt-4.1', messages: turns.flat(), ...settings }),
  );

const input: fc.Arbitrary<ResponseInputContent> = fc.oneof(
  fc.record({ type: fc.constant('input_text' as const), text }),
  fc.record({ type: fc.constant('input_image' as const), detail: fc.constant('auto' as const), image_url: url }),
  fc.record({
    type: fc.constant('input_image' as const),
    detail: fc.constant('low' as const),
    image_url: fc.constant(null),
    file_id: id,
  }),
  fc.record({ type: fc.constant('input_file' as const), file_id: id }),
);
const inputs = fc.oneof(text, fc.array(input, { maxLength: 3 }));

const said: fc.Arbitrary<EasyInputMessage> = fc.record<EasyInputMessage, 'role' | 'content'>({
  role: fc.constantFrom('user' as const, 'system' as const, 'developer' as const, 'assistant' as const),
  content: inputs,
});
const items: readonly fc.Arbitrary<ResponseInputItem>[] = [
  said,
  fc.record({ type: fc.constant('message' as const), role: fc.constant('user' as const), content: fc.array(input) }),
  fc.record({
    type: fc.constant('message' as const),
    id,
    role: fc.constant('assistant' as const),
    status: fc.constant('completed' as const),
    content: fc.array(
      fc.oneof(
        fc.record({ type: fc.constant('output_text' as const), text, annotations: fc.constant([]) }),
        refusalPart,
      ),
    ),
  }),
  fc.record({ type: fc.constant('function_call' as const), call_id: id, name, arguments: json }),
  fc.record({ type: fc.constant('function_call_output' as const), call_id: id, output: inputs }),
  fc.record({ type: fc.constant('function_call_output' as const), call_id: fc.constant(null), name, output: inputs }),
  fc.record({ type: fc.constant('custom_tool_call' as const), call_id: id, name, input: text }),
  fc.record({ type: fc.constant('custom_tool_call_output' as const), call_id: id, output: text }),
  fc.record({ type: fc.constant('reasoning' as const), id, summary: fc.constant([]) }),
  fc.record({
    type: fc.constant('image_generation_call' as const),
    id,
    result: fc.constantFrom(null, 'aGk='),
    status: fc.constant('completed' as const),
  }),
  fc.record({ type: fc.constant('mcp_approval_response' as const), approval_request_id: id, approve: fc.boolean() }),
  fc.record({
    type: fc.constant('computer_call_output' as const),
    call_id: id,
    output: fc.record({ type: fc.constant('computer_screenshot' as const), image_url: url }),
  }),
  fc.record({ type: fc.constant('compaction_trigger' as const) }),
  fc.record({ type: fc.constantFrom('item_reference' as const, null), id }),
  fc.record({ id }),
];
const item = fc.oneof(...items);

const responseSettings = some({
  model: fc.constant('gpt-5.4'),
  instructions: fc.oneof(text, fc.constant(null)),
  stream: fc.constantFrom(false as const, null),
  reasoning: fc.constantFrom<(Reasoning | null)[]>(null, {}, { effort: 'none' }, { summary: 'auto' }),
  tools: fc.constantFrom<Tool[][]>(
    [],
    [{ type: 'web_search' }],
    [{ type: 'function', name: 'f', parameters: null, strict: null }],
  ),
});

type ResponsesRequest = ResponseCreateParamsNonStreaming;

const given = fc.oneof<fc.Arbitrary<ResponsesRequest>[]>(
  fc.record({ input: text }),
  fc.record({ input: fc.array(item, { minLength: 1, maxLength: 5 }) }),
  fc.record({ prompt: fc.record({ id }) }),
  fc.record({ previous_response_id: id, input: fc.constant([]) }),
  fc.record({ conversation: fc.oneof(id, fc.record({ id })) }),
);

export const responsesRequests: fc.Arbitrary<ResponsesRequest> = fc
  .tuple(given, responseSettings)
  .map(([request, settings]) => ({ ...request, ...settings }));

const tokens = fc.array(fc.nat(200_000), { minLength: 1, maxLength: 4 });

export const embeddingsRequests: fc.Arbitrary<EmbeddingCreateParams> = fc.record({
  model: fc.constant('text-embedding-3-small'),
  input: fc.oneof(text, fc.array(text, { minLength: 1 }), tokens, fc.array(tokens, { minLength: 1, maxLength: 3 })),
});
