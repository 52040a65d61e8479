/** One server-sent event. */
export interface SentEvent {
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly data: string;
}

export interface ReadStream {
  readonly status: number;
  readonly headers: Headers;
  readonly events: readonly SentEvent[];
  readonly comments: number;
}

export interface ReadOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a GET without it. */
  readonly body?: object;
  /** Hangs up as soon as this holds. */
  readonly isEnough?: (events: readonly SentEvent[]) => boolean;
}

const TIMEOUT_MS = 60_000;

/** Reads a stream of events to its end, or until there are enough; rejects after a minute. */
export async function readEvents(url: string, options: ReadOptions = {}): Promise<ReadStream> {
  const { headers = {}, body, isEnough = () => false } = options;
  const leaving = new AbortController();
  const answer = await fetch(url, {
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  let text = '';
  try {
    for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (isEnough(eventsIn(text))) leaving.abort();
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  }
  const comments = text.match(/^:/gm)?.length ?? 0;
  return { status: answer.status, headers: answer.headers, events: eventsIn(text), comments };
}

function eventsIn(text: string): readonly SentEvent[] {
  const whole = text.split('\n\n').slice(0, -1);
  const fieldOf = (block: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  return whole.flatMap((block) => {
    const data = fieldOf(block, 'data');
    return data === undefined ? [] : [{ id: fieldOf(block, 'id'), type: fieldOf(block, 'event'), data }];
  });
}
