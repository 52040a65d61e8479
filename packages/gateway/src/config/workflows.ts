import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ComfyuiSettings, readWorkflow, type Workflow } from '@onetake/core';
import type { Report } from './report.ts';
import type { ProviderEntry } from './schema.ts';

const COMFYUI = 'comfyui';
const MAX_WORKFLOWS = 100;
const MAX_WORKFLOW_BYTES = 4 * 1024 ** 2;

/**
 * Reads `workflows`, files by model name, and `checkpoint` of a ComfyUI; undefined where it has neither. A path is
 * relative to `cwd`. Whatever is wrong with a file is a fault.
 */
export function readWorkflows(
  id: string,
  kind: string,
  { workflows: files = {}, checkpoint }: ProviderEntry,
  cwd: string,
  report: Report,
): ComfyuiSettings | undefined {
  const entries = Object.entries(files);
  const own = entries.length > 0 ? 'workflows' : 'checkpoint';
  if (entries.length === 0 && checkpoint === undefined) return undefined;
  if (kind !== COMFYUI) {
    report.faults.push(
      `providers.${id}.${own}: expected kind: ${COMFYUI} beside it, got ${kind}; nothing else has one`,
    );
    return undefined;
  }
  if (entries.length > MAX_WORKFLOWS) {
    report.faults.push(`providers.${id}.workflows: expected at most ${MAX_WORKFLOWS} entries, got ${entries.length}`);
    return undefined;
  }
  const read = entries.flatMap(([model, path]): [string, Workflow][] => {
    const workflow = readFile(`providers.${id}.workflows.${model}`, resolve(cwd, path), report);
    return workflow === undefined ? [] : [[model, workflow]];
  });
  const workflows: Readonly<Record<string, Workflow>> = Object.fromEntries(read);
  return { workflows, ...(checkpoint !== undefined && { checkpoint }) };
}

function readFile(setting: string, path: string, report: Report): Workflow | undefined {
  try {
    const { size } = statSync(path);
    if (size > MAX_WORKFLOW_BYTES) throw new RangeError(`${size} bytes, where ${MAX_WORKFLOW_BYTES} are allowed`);
    const read = readWorkflow(JSON.parse(readFileSync(path, 'utf8')));
    if ('workflow' in read) return read.workflow;
    report.faults.push(`${setting}: expected ${read.expected}, got ${read.got} in ${path}`);
  } catch (error) {
    report.faults.push(`${setting}: expected a readable JSON file, got ${wordsOf(error)} for ${path}`);
  }
  return undefined;
}

function wordsOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'something that is not JSON';
  if (error instanceof RangeError) return error.message;
  return (error as NodeJS.ErrnoException).code ?? 'an error';
}
