import { foundInSteps, type Gallery } from '../browsing.ts';
import { galleryRow, listedRow, pictureCursorOf, rowCursorOf, withBefore } from '../browsing-rows.ts';
import type { GroupCommit } from '../group-commit.ts';
import type { Operation, Operations } from './batch.ts';
import { FOUND_NAMES, named } from './rows.ts';

type Result<Name extends keyof Operations> = ReturnType<Operations[Name]>;

/** The verbs of those who look, as operations; `checkLimit` refuses what may not be asked for at once. */
export function browsingVerbs(commit: GroupCommit<Operation>, checkLimit: (limit: number) => void): Gallery {
  return {
    search: async (filter) => {
      checkLimit(filter.limit);
      const step = (...[before, limit]: [typeof filter.before, number]) =>
        commit.submit(['search', { ...withBefore(filter, before), limit }], ({ rows, ...rest }: Result<'search'>) => ({
          rows: rows.map((row) => listedRow(named(FOUND_NAMES, row))),
          ...rest,
        }));
      return foundInSteps(filter, step, rowCursorOf);
    },
    gallery: async (filter) => {
      checkLimit(filter.limit);
      const step = (...[before, limit]: [typeof filter.before, number]) =>
        commit.submit(
          ['gallery', { ...withBefore(filter, before), limit }],
          ({ rows, ...rest }: Result<'gallery'>) => ({
            rows: rows.map(galleryRow),
            ...rest,
          }),
        );
      return foundInSteps(filter, step, pictureCursorOf);
    },
    mark: (request) => commit.submit(['mark', request], (answer: Result<'mark'>) => answer),
  };
}
