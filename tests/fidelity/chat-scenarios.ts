/** What people do with chat clients, told so that two servers can be compared: ids and times are left out. */
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import OpenAI from 'openai';

export type Scenario = (baseURL: string, model: string) => Promise<unknown>;

const QUESTION = 'What lies in the harbour of Bergen?';
const MESSAGES = [{ role: 'user' as const, content: QUESTION }];
const WEATHER = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
  additionalProperties: false,
};
const TOOL = { type: 'function' as const, function: { name: 'weather', parameters: WEATHER, strict: true } };

function openai(baseURL: string): OpenAI {
  return new OpenAI({ apiKey: 'unused', baseURL, maxRetries: 0 });
}

export const OPENAI_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a completion': async (baseURL, model) => {
    const { choices, usage } = await openai(baseURL).chat.completions.create({ model, messages: MESSAGES });
    return { choices, usage };
  },
  'a stream with usage': async (baseURL, model) => {
    const stream = await openai(baseURL).chat.completions.create({
      ...{ model, messages: MESSAGES, stream: true as const, stream_options: { include_usage: true } },
    });
    const seen: unknown[] = [];
    for await (const { choices, usage } of stream) seen.push({ choices, usage });
    return seen;
  },
  'a call of a tool, streamed': async (baseURL, model) => {
    const runner = openai(baseURL).chat.completions.stream({
      model,
      messages: MESSAGES,
      tools: [TOOL],
      tool_choice: 'required',
    });
    const { choices } = await runner.finalChatCompletion();
    return choices.map(({ message, finish_reason }) => ({
      finish_reason,
      calls: message.tool_calls?.map((call) => (call.type === 'function' ? call.function : undefined)),
    }));
  },
  'structured output': async (baseURL, model) => {
    const format = { type: 'json_schema' as const, json_schema: { name: 'weather', strict: true, schema: WEATHER } };
    const { choices } = await openai(baseURL).chat.completions.create({
      model,
      messages: MESSAGES,
      response_format: format,
    });
    return JSON.parse(choices[0]?.message.content ?? '');
  },
  'a picture in a message': async (baseURL, model) => {
    const url = 'data:image/png;base64,iVBORw0KGgo=';
    const content = [
      { type: 'text' as const, text: QUESTION },
      { type: 'image_url' as const, image_url: { url } },
    ];
    const { choices } = await openai(baseURL).chat.completions.create({ model, messages: [{ role: 'user', content }] });
    return choices;
  },
  'a response': async (baseURL, model) => {
    const { output_text, status, usage } = await openai(baseURL).responses.create({ model, input: QUESTION });
    return { output_text, status, usage };
  },
  'a streamed response': async (baseURL, model) => {
    const stream = await openai(baseURL).responses.create({ model, input: QUESTION, stream: true });
    const seen: unknown[] = [];
    for await (const event of stream) {
      const { type, sequence_number } = event;
      seen.push({ type, sequence_number, ...('delta' in event && { delta: event.delta }) });
    }
    return seen;
  },
  embeddings: async (baseURL, model) => {
    const { data, usage } = await openai(baseURL).embeddings.create({ model, input: ['fox', 'hen'], dimensions: 8 });
    return { data, usage };
  },
};

export const AI_SDK_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'streamText over chat completions': (baseURL, model) =>
    streamed(createOpenAI({ baseURL, apiKey: 'unused' }).chat(model)),
  'streamText over responses': (baseURL, model) =>
    streamed(createOpenAI({ baseURL, apiKey: 'unused' }).responses(model)),
  'generateText with a tool': async (baseURL, model) => {
    const { toolCalls, finishReason } = await generateText({
      model: createOpenAI({ baseURL, apiKey: 'unused' }).chat(model),
      prompt: QUESTION,
      maxRetries: 0,
      tools: { weather: tool({ inputSchema: jsonSchema<{ city: string }>(WEATHER) }) },
      toolChoice: 'required',
    });
    return { finishReason, calls: toolCalls.map(({ toolName, input }) => ({ toolName, input })) };
  },
};

async function streamed(model: Parameters<typeof streamText>[0]['model']): Promise<unknown> {
  const errors: unknown[] = [];
  const result = streamText({
    model,
    prompt: QUESTION,
    maxRetries: 0,
    onError: ({ error }) => void errors.push(error),
  });
  const parts: string[] = [];
  for await (const text of result.textStream) parts.push(text);
  if (errors.length > 0) throw errors[0];
  return { parts, finishReason: await result.finishReason, usage: await result.usage };
}

export const LANGCHAIN_SCENARIOS: Readonly<Record<string, Scenario>> = {
  invoke: async (baseURL, model) => {
    const answer = await langchain(baseURL, model).invoke(QUESTION);
    return { content: answer.content, usage: answer.usage_metadata };
  },
  stream: async (baseURL, model) => {
    const parts: unknown[] = [];
    for await (const { content } of await langchain(baseURL, model).stream(QUESTION)) parts.push(content);
    return parts;
  },
  'tools bound': async (baseURL, model) => {
    const bound = langchain(baseURL, model).bindTools([TOOL], { tool_choice: 'required' });
    const { tool_calls } = await bound.invoke(QUESTION);
    return tool_calls?.map(({ name, args }) => ({ name, args }));
  },
  embeddings: async (baseURL, model) => {
    const client = new OpenAIEmbeddings({
      model,
      apiKey: 'unused',
      maxRetries: 0,
      dimensions: 8,
      configuration: { baseURL },
    });
    return client.embedDocuments(['fox', 'hen']);
  },
};

function langchain(baseURL: string, model: string): ChatOpenAI {
  return new ChatOpenAI({ model, apiKey: 'unused', maxRetries: 0, configuration: { baseURL } });
}
