const WORDS = /\bnsfw\b|moderat|content polic|safety/i;

/** What these speak of is the key, the account, a limit or a clock, whatever their words are. */
const NEVER_A_REFUSAL: readonly number[] = [401, 402, 408, 409, 429];

/** Whether an error's words refuse a prompt or a picture; a server that fails says nothing of either. */
export function speaksOfModeration(status: number, words: string): boolean {
  return status < 500 && !NEVER_A_REFUSAL.includes(status) && WORDS.test(words);
}
