/** Rows as lines of aligned columns; the first row is the heading. Numbers are right-aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const [heading = []] = rows;
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isNumeric = heading.map((_, column) => rows.slice(1).every((row) => /^[-\d.,×]*$/.test(row[column] ?? '')));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const [first = '', ...rest] = rows.map(line);
  return [first, '─'.repeat(Math.max(...rows.map((row) => line(row).length))), ...rest].join('\n');
}
