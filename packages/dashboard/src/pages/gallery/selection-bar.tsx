import type { Mark, Picture } from '../../api/gallery.ts';
import { pictureId } from '../../api/gallery.ts';
import { go, href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { downloadAll } from './download.ts';

export const MOST_COMPARED = 4;

/** What can be done with the pictures that are selected; it lies over the page, so that nothing moves when it appears. */
export function SelectionBar(props: {
  readonly chosen: readonly Picture[];
  readonly onMark: (picture: Picture, mark: Mark) => void;
  readonly onClear: () => void;
}) {
  const { chosen, onMark, onClear } = props;
  const canCompare = chosen.length >= 2 && chosen.length <= MOST_COMPARED;
  const markAll = (mark: Mark) => {
    for (const picture of chosen) onMark(picture, mark);
  };
  return (
    <section className="gallery-bar" aria-label="Selected pictures">
      <strong role="status">{chosen.length} selected</strong>
      <Button
        look="main"
        disabled={!canCompare}
        title={canCompare ? undefined : `Two to ${MOST_COMPARED} pictures can be compared`}
        onClick={() => go(href('compare', undefined, { ids: chosen.map(pictureId).join(',') }))}
      >
        Compare
      </Button>
      <Button onClick={() => markAll('star')}>Star</Button>
      <Button onClick={() => markAll('reject')}>Reject</Button>
      <Button onClick={() => markAll(null)}>Unmark</Button>
      <Button onClick={() => void downloadAll(chosen)}>Download</Button>
      <Button look="quiet" onClick={onClear}>
        Clear
      </Button>
    </section>
  );
}
