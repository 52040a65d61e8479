/** A word for any POSIX shell, whatever is in it but a NUL, which no argument can hold. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Text between double quotes in which nothing is expanded; for what stands beside an expression. */
export function literally(text: string): string {
  return text.replaceAll(/[\\"$`]/g, (character) => `\\${character}`);
}
