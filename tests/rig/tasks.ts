import { type Answer, call } from './call.ts';

/** A task as its endpoints show it; each field is there only where the contract says so. */
export interface Task {
  readonly id: string;
  readonly object: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'canceled';
  readonly queue?: { readonly position: number; readonly eta_ms: number | null };
  readonly data?: readonly { readonly url?: string }[] | null;
  readonly error?: { readonly code: string; readonly message: string } | null;
}

const WAIT_SECONDS = 20;
const TIMEOUT_MS = 60_000;

export function postTask(gatewayUrl: string, fields: object, headers: Record<string, string> = {}): Promise<Answer> {
  return call(`${gatewayUrl}/v1/tasks`, { body: { size: '64x48', ...fields }, headers });
}

/** Submits a task that is accepted. */
export async function submitTask(
  gatewayUrl: string,
  fields: object,
  headers: Record<string, string> = {},
): Promise<Task> {
  const { status, text, body } = await postTask(gatewayUrl, fields, headers);
  if (status !== 202) throw new Error(`POST /v1/tasks answered ${status}: ${text}`);
  return body as unknown as Task;
}

export async function readTask(gatewayUrl: string, id: string, headers: Record<string, string> = {}): Promise<Task> {
  const { status, text, body } = await call(`${gatewayUrl}/v1/tasks/${id}`, { headers });
  if (status !== 200) throw new Error(`GET /v1/tasks/${id} answered ${status}: ${text}`);
  return body as unknown as Task;
}

/** The task once it is over. */
export async function finishedTask(
  gatewayUrl: string,
  id: string,
  headers: Record<string, string> = {},
  timeoutMs = TIMEOUT_MS,
): Promise<Task> {
  const givingUpAt = performance.now() + timeoutMs;
  for (;;) {
    const { status, text, body } = await call(`${gatewayUrl}/v1/tasks/${id}?wait=${WAIT_SECONDS}`, { headers });
    if (status !== 200) throw new Error(`GET /v1/tasks/${id} answered ${status}: ${text}`);
    const task = body as unknown as Task;
    if (task.status !== 'pending' && task.status !== 'processing') return task;
    if (performance.now() > givingUpAt) throw new Error(`task ${id} is ${task.status} after ${timeoutMs} ms: ${text}`);
  }
}
