import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { emptyArray, type Fault, firstFault, missing, notFilled, notString, wrongType } from './fault.ts';
import { partsFault } from './validate-parts.ts';

/** With one of these there is something to answer without any input. */
const INSTEAD = ['prompt', 'previous_response_id', 'conversation'];
const WANTED = 'a string or an array of items';

/**
 * The first fault in `input` of the Responses API, as OpenAI's reference has it (openai 7.55, resources/responses).
 * Items of a type that is not known pass, and whether an output answers a call cannot be told: the call may be in an
 * earlier response.
 */
export function inputFault(body: JsonObject): Fault | undefined {
  const { input } = body;
  const instead = INSTEAD.some((key) => body[key] !== undefined && body[key] !== null);
  if (input === undefined || input === null)
    return instead ? undefined : missing('input', `${WANTED}, or a prompt or previous_response_id`);
  if (typeof input === 'string') return undefined;
  if (!Array.isArray(input)) return wrongType('input', input, WANTED);
  if (input.length === 0 && !instead) return emptyArray('input', 'at least one item');
  return firstFault('input', input, itemFault);
}

function itemFault(item: JsonValue, param: string): Fault | undefined {
  if (!isObject(item)) return wrongType(param, item, 'an object with a type or a role');
  const { type } = item;
  if (type === undefined || type === null)
    return item.role === undefined ? referenceFault(item, param) : messageFault(item, param);
  if (typeof type !== 'string') return wrongType(`${param}.type`, type, 'the kind of item, such as "message"');
  if (type === 'message') return messageFault(item, param);
  if (type === 'function_call') return calledFault(item, param);
  if (type === 'function_call_output') return outputFault(item, param);
  return undefined;
}

/** Without type and role it can only be a reference to another item. */
function referenceFault(item: JsonObject, param: string): Fault | undefined {
  if (item.id === undefined) return missing(`${param}.type`, 'the kind of item, or a role');
  return notFilled(`${param}.id`, item.id, 'the id of an item');
}

function messageFault(item: JsonObject, param: string): Fault | undefined {
  const { content, role } = item;
  const fault = notFilled(`${param}.role`, role, 'who speaks, such as "user"');
  if (fault || typeof content === 'string') return fault;
  if (Array.isArray(content)) return partsFault(content, `${param}.content`);
  const silent = role === 'assistant' && (content === undefined || content === null);
  return silent ? undefined : wrongType(`${param}.content`, content, 'a string or an array of content parts');
}

function calledFault(item: JsonObject, param: string): Fault | undefined {
  return (
    notFilled(`${param}.call_id`, item.call_id, 'the id of the call') ??
    notFilled(`${param}.name`, item.name, 'the name of the function') ??
    notString(`${param}.arguments`, item.arguments, 'a string of JSON')
  );
}

/** Since openai 7 an output may come without `call_id`, told by its `name` instead. */
function outputFault(item: JsonObject, param: string): Fault | undefined {
  const { call_id: id, name, output } = item;
  const named = typeof name === 'string' && (id === undefined || id === null);
  const fault = named ? undefined : notFilled(`${param}.call_id`, id, 'the id of the call that this answers');
  if (fault || typeof output === 'string') return fault;
  if (Array.isArray(output)) return partsFault(output, `${param}.output`);
  return wrongType(`${param}.output`, output, 'a string or an array of content parts');
}
