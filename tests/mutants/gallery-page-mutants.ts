import { defects, type Mutant } from './mutant.ts';

const drawn = defects(
  'dashboard',
  'pages/gallery/window.ts',
  ['pages/gallery/window.test.ts'],
  [
    ['draws every row there is', 'const first = Math.max(0, Math.min(wanted, rows - places));', 'const first = 0;'],
    ['leaves the last row in sight undrawn', 'Math.ceil(Math.max(0, viewHeight) / rowHeight) + 1', '1'],
    ['takes other places at the top', 'rows - places));', 'rows - seen));'],
  ],
);

const view = defects(
  'dashboard',
  'pages/gallery/view.ts',
  ['pages/gallery/view.test.ts'],
  [
    ['lets the point under the pointer run away', '1 / view.zoom - 1 / zoom', '1 / zoom - 1 / view.zoom'],
    ['draws the picture out of the frame', 'const margin = 0.5 / zoom;', 'const margin = 0;'],
  ],
);

const marks = defects(
  'dashboard',
  'api/gallery.ts',
  ['api/gallery.test.ts'],
  [['marks one of several that are the same', 'one.hash === hash ? { ...one, mark } : one', 'one']],
);

const settings = defects(
  'dashboard',
  'api/settings.ts',
  ['api/gallery.test.ts'],
  [['tells the settings of another picture', 'answer.sent?.[image?.sent ?? 0]', 'answer.sent?.[0]']],
);

const differences = defects(
  'dashboard',
  'pages/gallery/differences.ts',
  ['pages/gallery/differences.test.ts'],
  [['calls everything a difference', 'shared.some((one) => !one.has(index))', 'true']],
);

/** The gallery and the comparison: what is drawn, what is seen, what is marked. */
export const GALLERY_PAGE_MUTANTS: readonly Mutant[] = [...drawn, ...view, ...marks, ...settings, ...differences];
