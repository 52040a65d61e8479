import type { Cells } from './pacing.ts';

const MAX_CELLS = 10_000;

/** Cells of one process, gone with it. The one unchanged for longest is forgotten first. */
export function createMemoryCells(): Cells {
  const values = new Map<string, unknown>();
  return {
    update<Value, Result>(
      key: string,
      change: (value: Value | undefined) => { readonly value: Value; readonly result: Result },
    ) {
      const { value, result } = change(values.get(key) as Value | undefined);
      values.delete(key);
      values.set(key, value);
      const oldest = values.keys().next();
      if (values.size > MAX_CELLS && !oldest.done) values.delete(oldest.value);
      return result;
    },
    peek: <Value>(key: string) => values.get(key) as Value | undefined,
    onChange: () => () => {},
  };
}
