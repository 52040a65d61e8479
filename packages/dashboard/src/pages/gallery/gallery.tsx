import { useCallback, useMemo, useRef, useState } from 'react';
import { type GalleryFilter, pictureId, useGallery, useGalleryAgain, useNewest } from '../../api/gallery.ts';
import { useSession } from '../../api/session.ts';
import { go, href, usePlace } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { count } from '../../ui/format.ts';
import { Page } from '../../ui/layout.tsx';
import { Empty, ErrorBox, Loading } from '../../ui/states.tsx';
import { Details } from './details.tsx';
import { Filters } from './filters.tsx';
import { type Act, Grid } from './grid.tsx';
import { joined, toggled } from './moves.ts';
import { SelectionBar } from './selection-bar.tsx';
import { GALLERY_KEYS, ShortcutsDialog } from './shortcuts.tsx';
import { useKeys } from './use-keys.ts';
import { useMarking } from './use-marking.tsx';
import './gallery.css';

const MOST_SELECTED = 200;

/** Every picture that was handed over, newest first. */
export default function Gallery() {
  const { query } = usePlace();
  const session = useSession();
  const search = useRef<HTMLInputElement>(null);
  const [hasKeys, setHasKeys] = useState(false);
  const address = query.toString();
  const filter = useMemo(() => filterOf(new URLSearchParams(address)), [address]);
  useKeys('page', (key) => {
    if (key === '?') setHasKeys(true);
    if (key === '/') search.current?.focus();
    return key === '?' || key === '/';
  });
  return (
    <Page
      title="Gallery"
      actions={
        <Button look="quiet" aria-keyshortcuts="?" onClick={() => setHasKeys(true)}>
          Keys <kbd>?</kbd>
        </Button>
      }
    >
      <Filters
        filter={filter}
        hasCallers={session.data?.is_admin === true && session.data.needs_key}
        search={search}
        onChange={(changed) => go(href('gallery', undefined, { ...changed }), { replace: true })}
      />
      <Pictures key={address} name={address} filter={filter} />
      {hasKeys && <ShortcutsDialog keys={GALLERY_KEYS} onClose={() => setHasKeys(false)} />}
    </Page>
  );
}

function filterOf(query: URLSearchParams): GalleryFilter {
  const names = ['text', 'mark', 'model', 'caller'] as const;
  return Object.fromEntries(names.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
}

function Pictures({ name, filter }: { readonly name: string; readonly filter: GalleryFilter }) {
  const gallery = useGallery(filter);
  const { data, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = gallery;
  const pictures = useMemo(() => data?.pages.flatMap((page) => page.data) ?? [], [data]);
  const [active, setActive] = useState(0);
  const [opened, setOpened] = useState<number>();
  const [selection, setSelection] = useState<readonly string[]>([]);
  const { mark, said, failure } = useMarking();
  const chosen = useMemo(() => {
    const byId = new Map(selection.length === 0 ? [] : pictures.map((one) => [pictureId(one), one]));
    return selection.flatMap((id) => byId.get(id) ?? []);
  }, [pictures, selection]);
  const more = useCallback(() => {
    if (!isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  const act = (what: Act, at: number) => {
    const picture = pictures[at];
    if (what === 'clear') return setSelection([]);
    if (!picture) return;
    if (what === 'open') setOpened(at);
    else if (what === 'select') setSelection((before) => toggled(before, pictureId(picture), MOST_SELECTED));
    else if (what === 'select-to') {
      const ids = pictures.slice(Math.min(active, at), Math.max(active, at) + 1).map(pictureId);
      setSelection((before) => joined(before, ids, MOST_SELECTED));
    } else mark(picture, picture.mark === what ? null : what);
  };

  if (gallery.isPending) return <Loading what="the gallery" />;
  if (gallery.isError && pictures.length === 0) return <ErrorBox error={gallery.error} onRetry={gallery.refetch} />;
  if (pictures.length === 0) return <Nothing isNarrowed={Object.keys(filter).length > 0} />;
  const shown = opened === undefined ? undefined : pictures[opened];
  const move = (by: 1 | -1) => {
    const to = Math.max(0, Math.min(pictures.length - 1, (opened ?? 0) + by));
    setOpened(to);
    setActive(to);
  };
  return (
    <>
      <div className="gallery-state">
        <p className="muted">
          {count(pictures.length)} {pictures.length === 1 ? 'picture' : 'pictures'}
          {hasNextPage && ', more as you scroll'}
        </p>
        <NewPictures filter={filter} newest={pictures[0] && pictureId(pictures[0])} />
        <p className="hidden-text" role="status">
          {said}
        </p>
      </div>
      <Grid
        {...{ name, pictures, selection, active }}
        hasMore={hasNextPage}
        onMore={more}
        onActive={setActive}
        onAct={act}
      />
      {isFetchNextPageError && <ErrorBox error={gallery.error} onRetry={fetchNextPage} />}
      {chosen.length > 0 && <SelectionBar chosen={chosen} onMark={mark} onClear={() => setSelection([])} />}
      {shown && opened !== undefined && (
        <Details
          picture={shown}
          isSelected={selection.includes(pictureId(shown))}
          onMark={mark}
          onSelect={() => act('select', opened)}
          onMove={move}
          onClose={() => setOpened(undefined)}
        />
      )}
      {failure}
    </>
  );
}

/** Says that there is something new; it is not put in by itself, because everything would move. */
function NewPictures({ filter, newest }: { readonly filter: GalleryFilter; readonly newest: string | undefined }) {
  const found = useNewest(filter, true);
  const again = useGalleryAgain();
  if (found.data === undefined || found.data === newest) return null;
  return (
    <Button
      onClick={() => {
        window.scrollTo({ top: 0 });
        void again();
      }}
    >
      Show new pictures
    </Button>
  );
}

function Nothing({ isNarrowed }: { readonly isNarrowed: boolean }) {
  return (
    <Empty>
      {isNarrowed ? (
        <p>
          No picture is like that. <a href={href('gallery')}>Show all</a>
        </p>
      ) : (
        <p>
          No picture was made yet. Make one in the <a href={href('playground')}>playground</a>, or send a request.
        </p>
      )}
    </Empty>
  );
}
