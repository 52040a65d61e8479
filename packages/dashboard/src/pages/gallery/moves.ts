/** Where a key leads from picture `at` of `count` in `columns`; undefined for a key that leads nowhere. */
export function moveOf(
  key: string,
  at: number,
  { count, columns, rowsPerPage }: { readonly count: number; readonly columns: number; readonly rowsPerPage: number },
): number | undefined {
  const to = targetOf(key, at, { count, columns, page: Math.max(1, rowsPerPage) * columns });
  return to === undefined || count === 0 ? undefined : Math.max(0, Math.min(count - 1, to));
}

function targetOf(
  key: string,
  at: number,
  { count, columns, page }: { readonly count: number; readonly columns: number; readonly page: number },
): number | undefined {
  switch (key) {
    case 'ArrowLeft':
      return at - 1;
    case 'ArrowRight':
      return at + 1;
    case 'ArrowUp':
      return at < columns ? at : at - columns;
    case 'ArrowDown':
      return at + columns;
    case 'PageUp':
      return at < page ? at % columns : at - page;
    case 'PageDown':
      return at + page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

/** The selection with this one in it, or out of it where it was; at most `most` are kept, the newest. */
export function toggled(selection: readonly string[], id: string, most: number): readonly string[] {
  if (selection.includes(id)) return selection.filter((one) => one !== id);
  return [...selection, id].slice(-most);
}

/** The selection with all of these in it. */
export function joined(selection: readonly string[], ids: readonly string[], most: number): readonly string[] {
  return [...new Set([...selection, ...ids])].slice(-most);
}
