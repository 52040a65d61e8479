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

export function readLimits(_headers: Readonly<Record<string, string>>, _text: string, _now: number): readonly LimitReading[] {
  return [];
}
