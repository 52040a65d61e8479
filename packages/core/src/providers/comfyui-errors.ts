import type { HttpResponse } from '../http.ts';
import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';
import { isOutOfMemory } from './out-of-memory.ts';
import type { FailureReading } from './provider.ts';

/** Reads a refused graph: `{error: {type, message, details} | "text", node_errors: {id: {class_type, errors: [...]}}}`. */
export function classifyComfyui(response: HttpResponse): FailureReading | undefined {
  const { status, body } = response;
  if (status < 400 || !isObject(body)) return undefined;
  const { error } = body;
  const type = stringAt(error, 'type');
  const general = typeof error === 'string' ? error : sentence(error);
  const faults = nodeFaults(body.node_errors);
  const message = [general, ...faults.map(({ text }) => text)].filter((text) => text !== '').join('; ');
  if (message === '') return undefined;
  const told = { message, ...(type !== undefined && { code: type }) };
  if (isOutOfMemory(message)) return { kind: 'out_of_memory', ...told };
  if (status !== 400) return undefined;
  if (type === 'missing_node_type' || /node .*(?:not found|does not exist)/i.test(message)) {
    return { kind: 'capability', ...told, message: `the server lacks a node of the workflow: ${message}` };
  }
  if (!faults.some(({ kind }) => kind === 'value_not_in_list')) return { kind: 'invalid', ...told };
  const advice = 'install it there, or set providers.comfyui.checkpoint to one it has';
  return { kind: 'not_found', ...told, message: `the server lacks a file of the workflow (${advice}): ${message}` };
}

interface NodeFault {
  readonly kind: string;
  readonly text: string;
}

function nodeFaults(nodes: JsonValue | undefined): readonly NodeFault[] {
  if (!isObject(nodes)) return [];
  return Object.entries(nodes).flatMap(([id, node]) => {
    const errors: readonly JsonValue[] = isObject(node) && Array.isArray(node.errors) ? node.errors : [];
    const name = stringAt(node, 'class_type') ?? 'node';
    return errors.map((error) => ({ kind: stringAt(error, 'type') ?? '', text: `${name} ${id}: ${sentence(error)}` }));
  });
}

function sentence(error: JsonValue | undefined): string {
  const parts = [stringAt(error, 'message') ?? '', stringAt(error, 'details') ?? ''];
  return parts.filter((part) => part !== '').join(': ');
}

/** Why a job of the history has no pictures; undefined where it ended well. */
export function jobFailure(entry: JsonObject): FailureReading | undefined {
  const { status } = entry;
  const said = stringAt(status, 'status_str');
  const messages: readonly JsonValue[] = isObject(status) && Array.isArray(status.messages) ? status.messages : [];
  const find = (name: string): JsonValue | undefined => {
    const found = messages.find((message) => Array.isArray(message) && message[0] === name);
    return Array.isArray(found) ? found[1] : undefined;
  };
  if (find('execution_interrupted') !== undefined) {
    const message = 'the job was interrupted at the server';
    const told = { message, classifiedBy: 'execution_interrupted' };
    return { kind: 'canceled', cancel: 'confirmed', certainty: 'rejected', ...told };
  }
  if (said !== 'error') return undefined;
  const error = find('execution_error');
  const code = stringAt(error, 'exception_type');
  const node = stringAt(error, 'node_type');
  const words = stringAt(error, 'exception_message') ?? 'the server says that the workflow failed';
  const told = {
    message: node === undefined ? words : `${node}: ${words}`,
    classifiedBy: 'execution_error',
    ...(code !== undefined && { code }),
  };
  const kind = isOutOfMemory(`${code ?? ''} ${words}`) ? 'out_of_memory' : 'server';
  return { kind, certainty: 'failed', ...told };
}
