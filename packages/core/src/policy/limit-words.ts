/** What an answer told of its provider's limits, in headers or in words. */
export interface LimitReading {
  readonly dimension: 'requests' | 'images' | 'tokens' | 'concurrency';
  /** The limit itself, where it is told. */
  readonly limit?: number;
  readonly windowMs?: number;
  readonly remaining?: number;
  /** When nothing of it will be used (epoch ms). */
  readonly resetAt?: number;
}
