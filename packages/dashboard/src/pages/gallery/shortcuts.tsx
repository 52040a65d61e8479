import { Dialog } from '../../ui/dialog.tsx';

/** Keys and what they do, for the `?` dialog of a page. */
export type Shortcuts = readonly (readonly [keys: readonly string[], does: string])[];

export const GALLERY_KEYS: Shortcuts = [
  [['←', '→', '↑', '↓'], 'the next picture that way'],
  [['Home', 'End'], 'the first, the last that is loaded'],
  [['Page Up', 'Page Down'], 'a window further'],
  [['Enter'], 'open it'],
  [['s'], 'star it, or take the star away'],
  [['x'], 'reject it, or take that back'],
  [['c', 'Space'], 'select it'],
  [['Shift + click'], 'select all up to it'],
  [['Escape'], 'select nothing'],
  [['/'], 'search'],
  [['?'], 'this list'],
];

export const COMPARE_KEYS: Shortcuts = [
  [['+', '−'], 'closer, further'],
  [['0'], 'all of it'],
  [['1'], 'one pixel for one pixel'],
  [['←', '→', '↑', '↓'], 'move the view'],
  [['Tab'], 'the next picture'],
  [['s', 'x'], 'star, reject the picture in focus'],
  [['Wheel', 'pinch', 'drag'], 'zoom and move all pictures in step'],
  [['?'], 'this list'],
];

export function ShortcutsDialog({ keys, onClose }: { readonly keys: Shortcuts; readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="gallery-keys">
        {keys.map(([names, does]) => (
          <div key={does}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">
        Press <kbd>g</kbd> and then a letter to go to another page.
      </p>
    </Dialog>
  );
}
