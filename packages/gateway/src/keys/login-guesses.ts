/** How many wrong keys may be tried, by anybody, in a stretch of time. */
export interface LoginGuesses {
  /** Epoch ms until which nobody may try; undefined while somebody may. */
  closedUntil(): number | undefined;
  failed(): void;
}

export const MAX_WRONG_KEYS = 10;
export const GUESSES_WITHIN_MS = 60_000;

/** One bound for the process: who guesses chooses what address the guesses come from. */
export function createLoginGuesses(now: () => number): LoginGuesses {
  let failures: readonly number[] = [];
  const recent = () => failures.filter((at) => at > now() - GUESSES_WITHIN_MS);
  return {
    closedUntil() {
      failures = recent();
      const [first] = failures;
      return first === undefined || failures.length < MAX_WRONG_KEYS ? undefined : first + GUESSES_WITHIN_MS;
    },
    failed() {
      failures = [...recent(), now()];
    },
  };
}
