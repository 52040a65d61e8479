import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { type Fault, firstFault, notFilled, wrongType } from './fault.ts';

/**
 * The first fault in `tools` of either endpoint. An empty list passes (DeepSeek refuses it, others do not), so does a
 * tool without a type that holds a `function`, which vLLM takes; what the kinds of tools hold is the provider's business.
 */
export function toolsFault(tools: JsonValue | undefined): Fault | undefined {
  if (tools === undefined || tools === null) return undefined;
  if (!Array.isArray(tools)) return wrongType('tools', tools, 'an array of tools');
  return firstFault('tools', tools, (tool, param) => {
    if (!isObject(tool)) return wrongType(param, tool, 'an object with a type');
    return typeFault(tool, param) ?? functionFault(tool, param);
  });
}

function typeFault(tool: JsonObject, param: string): Fault | undefined {
  if (tool.type === undefined && isObject(tool.function)) return undefined;
  return notFilled(`${param}.type`, tool.type, 'the kind of tool, such as "function"');
}

/** In chat/completions the name stands in `function`, in the Responses API beside the type. */
function functionFault(tool: JsonObject, param: string): Fault | undefined {
  const { function: described } = tool;
  if (tool.type !== 'function' || tool.name !== undefined) return undefined;
  if (!isObject(described)) return wrongType(`${param}.function`, described, 'an object with a name');
  return notFilled(`${param}.function.name`, described.name, 'the name of the function');
}
