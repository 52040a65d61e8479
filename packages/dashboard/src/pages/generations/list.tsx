import { useEffect, useMemo, useRef, useState } from 'react';
import { ownPath } from '../../api/gallery.ts';
import {
  type GenerationFilter,
  type GenerationList,
  type GenerationRow,
  useGenerations,
} from '../../api/generations.ts';
import { go, href, usePlace } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { duration, usd } from '../../ui/format.ts';
import { Badge, Page, Status } from '../../ui/layout.tsx';
import { Empty, Queried } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Ago, Time } from '../../ui/time.tsx';
import { FILTERS, Filters, filterIn } from './filters.tsx';
import { Shortcuts, useListKeys } from './list-keys.tsx';
import { shownRows } from './live-rows.ts';

const PAGE_ROWS = 50;

export function List() {
  const { query: asked } = usePlace();
  const text = asked.toString();
  const filter = useMemo(() => filterIn(new URLSearchParams(text)), [text]);
  const query = useGenerations(filter, PAGE_ROWS);
  const first = useRef<HTMLInputElement>(null);
  const keys = useListKeys(first);
  return (
    <Page
      title="Generations"
      actions={
        <Button look="quiet" onClick={keys.open} aria-keyshortcuts="?">
          Shortcuts
        </Button>
      }
    >
      <Filters filter={filter} first={first} />
      <Queried query={query} what="the generations">
        {(data) => <Rows list={data} filter={filter} isStale={query.isPlaceholderData} />}
      </Queried>
      {keys.isOpen && <Shortcuts onClose={keys.close} />}
    </Page>
  );
}

/** Somebody who reads, points or walks by keyboard must not lose their place. */
function isHeld(frame: HTMLElement | null): boolean {
  if (frame === null) return false;
  return window.scrollY > 40 || frame.matches(':hover') || frame.contains(document.activeElement);
}

function Rows(props: { readonly list: GenerationList; readonly filter: GenerationFilter; readonly isStale: boolean }) {
  const { list, filter, isStale } = props;
  const frame = useRef<HTMLDivElement>(null);
  const of = JSON.stringify(filter);
  const [shown, setShown] = useState({ of, rows: list.data, newer: 0 });
  useEffect(() => {
    if (isStale) return;
    setShown((before) => ({
      of,
      ...shownRows(before.of === of ? before.rows : [], list.data, isHeld(frame.current)),
    }));
  }, [list, of, isStale]);
  const isNarrowed = FILTERS.some((name) => filter[name] !== undefined);
  return (
    <div ref={frame} className="generations-list">
      <output className="generations-newer">
        {shown.newer > 0 && (
          <Button onClick={() => setShown({ of, rows: list.data, newer: 0 })}>
            Show {shown.newer >= PAGE_ROWS ? `${PAGE_ROWS} or more` : shown.newer} newer
          </Button>
        )}
      </output>
      {shown.rows.length === 0 ? (
        <Nothing isNarrowed={isNarrowed || filter.after !== undefined} />
      ) : (
        <Table label="Generations" columns={COLUMNS} rows={shown.rows} keyOf={({ id }) => id} />
      )}
      <nav className="actions" aria-label="Pages of the list">
        {filter.after !== undefined && (
          <Button onClick={() => go(href('generations', undefined, { ...filter, after: undefined }))}>Newest</Button>
        )}
        {list.next !== null && shown.rows.length > 0 && (
          <Button onClick={() => go(href('generations', undefined, { ...filter, after: list.next ?? undefined }))}>
            {PAGE_ROWS} older
          </Button>
        )}
      </nav>
    </div>
  );
}

function Nothing({ isNarrowed }: { readonly isNarrowed: boolean }) {
  if (isNarrowed)
    return (
      <Empty>
        Nothing here is like that. <a href={href('generations')}>Show all</a>
      </Empty>
    );
  return (
    <Empty>
      Nothing was asked for yet. <a href={href('playground')}>Make a picture in the playground</a>, or send the request
      that the start of the gateway printed.
    </Empty>
  );
}

const COLUMNS: readonly Column<GenerationRow>[] = [
  { head: <span className="hidden-text">Picture</span>, cell: (row) => <Thumbnail row={row} /> },
  { head: 'Asked for', cell: (row) => <Asked row={row} /> },
  { head: 'Status', cell: (row) => <Ended row={row} />, isExtra: true },
  { head: 'Spent', cell: (row) => <Money row={row} />, isNumber: true, isExtra: true },
  { head: 'Took', cell: (row) => duration(row.duration_ms ?? tookMs(row)), isNumber: true, isExtra: true },
  { head: 'Key', cell: ({ caller }) => caller ?? '–', isExtra: true },
  {
    head: 'When',
    cell: ({ created_at: at }) => (
      <>
        <Time at={at} />
        <small className="muted generations-possible">
          <Ago at={at} />
        </small>
      </>
    ),
    isExtra: true,
  },
];

function Thumbnail({ row: { thumbnail_url: url, pictures = 0, makes } }: { readonly row: GenerationRow }) {
  if (!url)
    return (
      <span className="generations-thumbnail" aria-hidden="true">
        {makes === 'chat' ? '…' : ''}
      </span>
    );
  return (
    <span className="generations-thumbnail">
      <img src={ownPath(url)} alt="" width="48" height="48" loading="lazy" decoding="async" />
      {pictures > 1 && <span className="generations-many">{pictures}</span>}
    </span>
  );
}

/** On a narrow window all of the row stands here. */
function Asked({ row }: { readonly row: GenerationRow }) {
  const { id, prompt, route, target, created_at: at } = row;
  return (
    <>
      <a className="generations-prompt" href={href('generations', id)} data-row="">
        {prompt === '' ? id : prompt}
      </a>
      <small className="muted mono generations-route">
        {route}
        {target !== undefined && target !== route && ` → ${target}`}
      </small>
      <span className="generations-narrow">
        <Ended row={row} />
        <small>
          <Money row={row} /> · <Ago at={at} />
        </small>
      </span>
    </>
  );
}

function Ended({ row: { status, code, billed, settled } }: { readonly row: GenerationRow }) {
  return (
    <span className="generations-ended">
      <Status of={status} />
      {code !== undefined && <code>{code}</code>}
      {billed === 'maybe' && settled === undefined && <Badge tone="warn">billed: maybe</Badge>}
      {settled !== undefined && <Badge>settled: {settled}</Badge>}
    </span>
  );
}

/** Nothing was billed where that is known; what is open has no sum yet. */
function Money({ row }: { readonly row: GenerationRow }) {
  if (row.finished_at === undefined) return '–';
  const possible = row.billed === 'maybe' && row.possible_usd !== undefined && row.possible_usd > 0;
  if (row.billed === 'maybe' && row.price_usd === null && possible)
    return <span className="warn">up to {usd(row.possible_usd)}</span>;
  return (
    <>
      {row.billed === 'no' ? usd(0) : usd(row.price_usd)}
      {possible && <small className="warn generations-possible">+ up to {usd(row.possible_usd)}</small>}
    </>
  );
}

function tookMs({ created_at, finished_at }: GenerationRow): number | undefined {
  return finished_at === undefined ? undefined : finished_at - created_at;
}
