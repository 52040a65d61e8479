/** At most `count` in any `windowMs`. */
export interface Rate {
  readonly count: number;
  readonly windowMs: number;
}

/** What a provider allows one credential at one target; what is absent is not known. */
export interface Limits {
  readonly requests?: readonly Rate[];
  readonly images?: readonly Rate[];
  readonly tokens?: readonly Rate[];
  /** Requests in flight. */
  readonly concurrency?: number;
}
