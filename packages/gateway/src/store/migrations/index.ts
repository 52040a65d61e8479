import { generations } from './001-generations.ts';
import { pictures } from './002-pictures.ts';
import { tasks } from './003-tasks.ts';
import { cache } from './004-cache.ts';
import { ledger } from './005-ledger.ts';
import { gallery } from './006-gallery.ts';

/** The steps to the present schema, in order. A step that was released never changes; `user_version` counts them. */
export const MIGRATIONS: readonly string[] = [generations, pictures, tasks, cache, ledger, gallery];
