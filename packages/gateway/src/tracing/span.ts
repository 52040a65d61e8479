/** One span as it is exported; plain data, complete when it is made. Times are epoch ms. */
export interface SpanData {
  readonly name: string;
  /** `server`: somebody asked us; `client`: we asked a provider. */
  readonly kind: 'server' | 'client';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** The parent is in another process. */
  readonly hasRemoteParent?: boolean;
  readonly traceState?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  /** Events beyond what one span may hold. */
  readonly droppedEvents: number;
  /** Our code of what went wrong, never words of a provider, which may quote the prompt; absent where it went well. */
  readonly error?: string;
}

export interface SpanEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: Attributes;
}

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Without what is undefined. */
export function attributesOf(given: Readonly<Record<string, string | number | boolean | undefined>>): Attributes {
  const known = Object.entries(given).filter((entry): entry is [string, Attributes[string]] => entry[1] !== undefined);
  return Object.fromEntries(known);
}
