import { RefusedError } from '../wire/answer.ts';

/** What of OpenAI's wire is spoken: the path below the base URL. */
export type ChatEndpoint = 'chat/completions' | 'responses' | 'embeddings';

/** A request of chat, checked, as far as the answer depends on it. */
export interface ChatCall {
  readonly endpoint: Exclude<ChatEndpoint, 'embeddings'>;
  readonly model: string;
  readonly stream: boolean;
  /** Asked for with `stream_options`. */
  readonly includeUsage: boolean;
  readonly n: number;
  /** The most tokens that may come out, of each choice. */
  readonly maxTokens: number | undefined;
  /** What was said last by the user. */
  readonly said: string;
  /** Whether the last thing is what a tool answered. */
  readonly toolAnswered: boolean;
  readonly tools: readonly ToolOffer[];
  readonly toolChoice: ToolChoice;
  /** The form that the text must have. */
  readonly form: { readonly schema: unknown } | undefined;
  /** Thinks before it speaks, and is billed for it. */
  readonly reasons: boolean;
  /** All that goes in, as one text, for counting. */
  readonly input: string;
  /** Pictures among the messages; they are not fetched. */
  readonly pictures: number;
  /** The request as it came, whose settings some answers say again. */
  readonly values: Values;
}

export interface ToolOffer {
  readonly name: string;
  readonly schema: unknown;
}

type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export type Values = Readonly<Record<string, unknown>>;

const MAX_CHOICES = 128;
const MAX_MESSAGES = 10_000;
const REASONING_MODELS = /(?:^|\/)(?:o\d|gpt-5)/u;

export function readChatCall(endpoint: Exclude<ChatEndpoint, 'embeddings'>, values: Values): ChatCall {
  const model = readModel(values);
  const messages =
    endpoint === 'responses' ? readInput(values) : readList('messages', readRequired(values, 'messages'));
  const last = messages.at(-1);
  const texts = messages.map(textOf);
  const said = messages.findLast(({ role }) => role === 'user');
  const stream = readBoolean(values, 'stream');
  return {
    ...{ endpoint, model, stream, values },
    includeUsage: stream && objectOf(values.stream_options)?.include_usage === true,
    n: endpoint === 'responses' ? 1 : (readInteger(values, 'n', 1, MAX_CHOICES) ?? 1),
    maxTokens:
      readInteger(values, 'max_completion_tokens', 1) ??
      readInteger(values, 'max_output_tokens', 1) ??
      readInteger(values, 'max_tokens', 1),
    said: said ? textOf(said) : (texts.at(-1) ?? ''),
    toolAnswered: last?.role === 'tool' || last?.type === 'function_call_output',
    tools: readTools(values.tools),
    toolChoice: readToolChoice(values.tool_choice),
    form: readForm(values.response_format) ?? readForm(objectOf(values.text)?.format),
    reasons: REASONING_MODELS.test(model) && effortOf(values) !== 'none' && effortOf(values) !== 'minimal',
    input: [values.instructions, ...texts].filter((text) => typeof text === 'string').join('\n'),
    pictures: messages.reduce((sum, message) => sum + partsOf(message).filter(isPicture).length, 0),
  };
}

export function readModel({ model }: Values): string {
  if (typeof model === 'string' && model !== '' && model.length <= 1000) return model;
  if (model === undefined || model === null || model === '') {
    throw refuse('model', 'missing_required_parameter', 'you must provide a model parameter.');
  }
  throw refuse('model', 'invalid_type', "Invalid 'model': expected a string of at most 1000 characters.");
}

export function refuse(param: string, code: string, message: string): RefusedError {
  return new RefusedError({ status: 400, reason: 'invalid', param, code, message });
}

export function readInteger(values: Values, param: string, least: number, most = 1e9): number | undefined {
  const value = values[param];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  const message = `Invalid '${param}': expected an integer from ${least} to ${most}, but got ${JSON.stringify(value).slice(0, 100)}.`;
  throw refuse(param, typeof value === 'number' ? 'invalid_value' : 'invalid_type', message);
}

function readBoolean(values: Values, param: string): boolean {
  const value = values[param] ?? false;
  if (typeof value === 'boolean') return value;
  throw refuse(param, 'invalid_type', `Invalid type for '${param}': expected a boolean.`);
}

export function objectOf(value: unknown): Values | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function objectsIn(list: readonly unknown[]): readonly Values[] {
  return list.map(objectOf).filter((item) => item !== undefined);
}

export function readRequired(values: Values, param: 'messages' | 'input'): unknown {
  const value = values[param];
  if (value !== undefined && value !== null) return value;
  throw refuse(param, 'missing_required_parameter', `Missing required parameter: '${param}'.`);
}

function readInput(values: Values): readonly Values[] {
  const input = readRequired(values, 'input');
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  return readList('input', input);
}

function readList(param: string, value: unknown): readonly Values[] {
  if (!Array.isArray(value)) throw refuse(param, 'invalid_type', `Invalid type for '${param}': expected an array.`);
  if (value.length === 0 || value.length > MAX_MESSAGES) {
    const code = value.length === 0 ? 'empty_array' : 'array_above_max_length';
    throw refuse(param, code, `Invalid '${param}': expected 1 to ${MAX_MESSAGES} items, but got ${value.length}.`);
  }
  const messages = objectsIn(value);
  if (messages.length === value.length) return messages;
  throw refuse(param, 'invalid_type', `Invalid type for an item of '${param}': expected an object.`);
}

function partsOf({ content }: Values): readonly Values[] {
  return Array.isArray(content) ? objectsIn(content) : [];
}

/** The words of a message; what a tool was asked or answered counts too. */
function textOf(message: Values): string {
  const { content, output, tool_calls } = message;
  if (typeof content === 'string') return content;
  const parts = partsOf(message).flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
  if (typeof message.arguments === 'string') parts.push(message.arguments);
  if (output !== undefined) parts.push(typeof output === 'string' ? output : JSON.stringify(output));
  if (tool_calls !== undefined) parts.push(JSON.stringify(tool_calls));
  return parts.join('\n');
}

function isPicture({ type }: Values): boolean {
  return type === 'image_url' || type === 'input_image';
}

/** Function tools in either API's shape; others are let pass and never called. */
function readTools(tools: unknown): readonly ToolOffer[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((one) => {
    const tool = objectOf(one);
    if (tool?.type !== 'function') return [];
    const { name, parameters } = objectOf(tool.function) ?? tool;
    return typeof name === 'string' ? [{ name, schema: parameters }] : [];
  });
}

function readToolChoice(choice: unknown): ToolChoice {
  if (choice === 'none' || choice === 'required') return choice;
  const named = objectOf(choice);
  const name = objectOf(named?.function)?.name ?? named?.name;
  return typeof name === 'string' ? { name } : 'auto';
}

function readForm(format: unknown): ChatCall['form'] {
  const { type, json_schema, schema } = objectOf(format) ?? {};
  if (type === 'json_object') return { schema: undefined };
  return type === 'json_schema' ? { schema: objectOf(json_schema)?.schema ?? schema } : undefined;
}

function effortOf({ reasoning_effort, reasoning }: Values): unknown {
  return reasoning_effort ?? objectOf(reasoning)?.effort;
}
