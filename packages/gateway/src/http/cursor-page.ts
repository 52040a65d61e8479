import { invalidValue } from './problem.ts';

export type PageQuery = Readonly<Record<string, string | string[] | undefined>>;

export interface PageBounds {
  readonly usual: number;
  readonly most: number;
}

/** A page of OpenAI's cursor lists: `after` is the id the page before ended with; `items` are in the order of the list. */
export function cursorPage<Item extends { readonly id: string }, View extends { readonly id: string }>(
  items: readonly Item[],
  query: PageQuery,
  { usual, most }: PageBounds,
  view: (item: Item) => View,
) {
  const limit = Number(query.limit ?? usual);
  if (!Number.isInteger(limit) || limit < 1 || limit > most) {
    throw invalidValue('limit', `"${String(query.limit).slice(0, 50)}" is not a whole number from 1 to ${most}`);
  }
  const from = query.after === undefined ? 0 : items.findIndex(({ id }) => id === query.after) + 1;
  if (query.after !== undefined && from === 0) {
    throw invalidValue(
      'after',
      `"${String(query.after).slice(0, 50)}" is not the id of an entry of this list; begin anew`,
    );
  }
  const data = items.slice(from, from + limit).map(view);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < items.length,
  };
}
