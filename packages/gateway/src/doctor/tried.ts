import type { Tried } from './world.ts';

const MAX_WORDS = 300;

/** Does it in bounded time; what goes wrong is a value with its code. */
export async function attempt<Value>(
  timeoutMs: number,
  act: (signal: AbortSignal) => Promise<Value>,
): Promise<Tried<Value>> {
  const giveUp = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Tried<Value>>((resolve) => {
    timer = setTimeout(() => {
      resolve({ ok: false, code: 'TIMEOUT', message: `no answer within ${timeoutMs / 1000} s` });
      giveUp.abort();
    }, timeoutMs);
  });
  const done = act(giveUp.signal).then<Tried<Value>, Tried<Value>>((value) => ({ ok: true, value }), badly);
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

function badly(error: unknown): Tried<never> {
  // Several addresses that all failed come as one error, whose own words are empty.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? first.message : String(first);
  const code = first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : 'ERROR';
  return { ok: false, code, message: message.slice(0, MAX_WORDS) };
}
