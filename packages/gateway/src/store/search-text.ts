/** Of a prompt, from its beginning. */
export const MAX_SEARCHED_CHARS = 2_000;

/** A prompt, or what is looked for in one, so that capitals make no difference and any database can hold it. */
export function searchText(text: string): string {
  return text.slice(0, MAX_SEARCHED_CHARS).toWellFormed().replaceAll('\0', '').normalize('NFC').toLowerCase();
}
