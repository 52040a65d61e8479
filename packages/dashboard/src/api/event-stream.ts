import { call } from './client.ts';

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** Longer than any event of ours. */
const MAX_PENDING_CHARACTERS = 32 * 1024 * 1024;

/** The events of an answer, as they come. `EventSource` cannot send the header that the cookie needs. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  if (!response.body) return;
  const decoder = new TextDecoder();
  let pending = '';
  for await (const bytes of bytesOf(response.body)) {
    pending += decoder.decode(bytes, { stream: true });
    const parts = pending.split(/\r?\n\r?\n/);
    pending = parts.pop() ?? '';
    if (pending.length > MAX_PENDING_CHARACTERS) throw new Error('the gateway sent an event that does not end');
    for (const part of parts) {
      const event = parseEvent(part);
      if (event) yield event;
    }
  }
}

async function* bytesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    // Whoever stops listening ends the answer too.
    reader.cancel().catch(() => {});
  }
}

/** One event of a stream; undefined for a comment. */
export function parseEvent(text: string): ServerEvent | undefined {
  const fields = text.split(/\r?\n/).map((line) => /^([^:]*):? ?(.*)$/s.exec(line) ?? []);
  const all = (name: string) => fields.flatMap(([, field, value]) => (field === name ? [value ?? ''] : []));
  const data = all('data');
  if (data.length === 0) return undefined;
  return { event: all('event').at(-1) ?? 'message', data: data.join('\n'), id: all('id').at(-1) };
}

const AGAIN_MS = [1_000, 2_000, 5_000, 10_000];

/** Listens to a stream of events until `signal` is aborted, and again when it breaks off; `onState` hears whether it is open. */
export async function listen(
  path: string,
  options: {
    readonly signal: AbortSignal;
    readonly onEvent: (event: ServerEvent) => void;
    readonly onState?: (isOpen: boolean) => void;
  },
): Promise<void> {
  const { signal, onEvent, onState } = options;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const response = await call(path, { signal });
      onState?.(true);
      failures = 0;
      for await (const event of eventsOf(response)) onEvent(event);
    } catch {
      failures += 1;
    }
    if (signal.aborted) return;
    onState?.(false);
    await pause(AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)] ?? 0, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
