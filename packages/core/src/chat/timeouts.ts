/** The clocks of chat, each a setting of the route; milliseconds. */
export const CHAT_TIMEOUTS = {
  connectMs: 10_000,
  /** Of a stream, from sent to the first content. */
  firstTokenMs: 60_000,
  reasoningFirstTokenMs: 300_000,
  /** Of an answer that comes whole. */
  firstByteMs: 600_000,
  embeddingsFirstByteMs: 60_000,
  idleMs: 60_000,
  reasoningIdleMs: 300_000,
  /** How long a caller may take nothing of its answer. */
  heldMs: 300_000,
  /** Nobody asked for a total clock: this only bounds it. */
  totalMs: 86_400_000,
} as const;
