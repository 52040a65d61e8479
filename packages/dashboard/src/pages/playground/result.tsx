import { type CandidateMember, useCandidateSet, usePick } from '../../api/candidates.ts';
import { ownPath } from '../../api/gallery.ts';
import { isOver, useGeneration } from '../../api/generations.ts';
import type { Preview } from '../../api/playground.ts';
import { href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { duration, usd } from '../../ui/format.ts';
import { Badge, Card, Status } from '../../ui/layout.tsx';
import { Empty, ErrorBox, Loading, Queried } from '../../ui/states.tsx';
import { Failed, useTicking } from '../generations/detail.tsx';
import { lanesOf } from '../generations/lanes.ts';
import { Pictures } from '../generations/made.tsx';
import { Waterfall } from '../generations/waterfall.tsx';
import type { SendState } from './use-send.ts';

/** What comes of it, from the press to the picture. */
export function Result({ state }: { readonly state: SendState }) {
  if (state.kind === 'idle')
    return (
      <Card title="Result">
        <Empty>What you make appears here, with everything that happens on the way.</Empty>
      </Card>
    );
  if (state.kind === 'sent' && state.sent.kind === 'candidates') return <Candidates id={state.sent.id} />;
  const id = state.kind === 'sent' ? state.sent.id : state.generation;
  return (
    <Card title="Result">
      {state.kind === 'failed' && id === undefined && <ErrorBox error={state.error} />}
      {state.kind !== 'failed' && id === undefined && <Loading what="the answer" />}
      {state.kind === 'sending' && <Previews previews={state.previews} />}
      {id !== undefined && <Made key={id} id={id} />}
    </Card>
  );
}

function Previews({ previews }: { readonly previews: readonly Preview[] }) {
  const last = previews.at(-1);
  if (!last) return null;
  return (
    <figure className="generations-picture playground-preview">
      <img src={last.source} alt={`Preview ${previews.length}, not done yet`} />
      <figcaption aria-live="polite">Preview {previews.length}: it is still being drawn</figcaption>
    </figure>
  );
}

const LOOK_EVERY_MS = 700;

function Made({ id }: { readonly id: string }) {
  const query = useGeneration(id, { lookEveryMs: LOOK_EVERY_MS });
  const now = useTicking(query.data !== undefined && !isOver(query.data));
  return (
    <Queried query={query} what="the generation">
      {(generation) => (
        <>
          <p className="generations-head" aria-live="polite">
            <Status of={generation.status} />
            {isOver(generation) && (
              <span className="muted">
                {duration((generation.finished_at ?? now) - generation.created_at)} · spent{' '}
                {generation.billed === 'no' ? usd(0) : usd(generation.price_usd)}
                {generation.billed === 'maybe' && ` · possibly up to ${usd(generation.possible_usd)}`}
              </span>
            )}
            <a href={href('generations', id)}>Open the generation</a>
          </p>
          <Failed generation={generation} />
          {(generation.images ?? []).length > 0 && (
            <Pictures pictures={generation.images ?? []} prompt={generation.request.prompt ?? ''} />
          )}
          <Waterfall lanes={lanesOf(generation, now)} />
        </>
      )}
    </Queried>
  );
}

function Candidates({ id }: { readonly id: string }) {
  const query = useCandidateSet(id);
  const pick = usePick(id);
  return (
    <Card title="Candidates">
      <Queried query={query} what="the candidates">
        {({ members, best, picked, status }) => (
          <>
            <p aria-live="polite" className="muted">
              {status === 'completed' ? 'All are done: pick the one you want.' : 'They are being made.'}{' '}
              {members.filter(({ url }) => url !== undefined).length} of {members.length}
            </p>
            <ul className="playground-candidates">
              {members.map((one) => (
                <Candidate
                  key={one.index}
                  member={one}
                  isBest={one.index === best}
                  isPicked={one.index === picked}
                  isBusy={pick.isPending}
                  onPick={() => pick.mutate(one.index)}
                />
              ))}
            </ul>
            {pick.isError && <ErrorBox error={pick.error} />}
          </>
        )}
      </Queried>
    </Card>
  );
}

function Candidate(props: {
  readonly member: CandidateMember;
  readonly isBest: boolean;
  readonly isPicked: boolean;
  readonly isBusy: boolean;
  readonly onPick: () => void;
}) {
  const { member, isBest, isPicked, isBusy, onPick } = props;
  const { index, url, status, score, seed, doubts = [], failure, generation, price_usd: price } = member;
  return (
    <li className={isPicked ? 'playground-picked' : ''}>
      {url === undefined ? (
        <span className="playground-blank muted">{failure?.message ?? `${status}…`}</span>
      ) : (
        <a href={ownPath(url)} target="_blank" rel="noreferrer">
          <img src={ownPath(url)} alt={`Candidate ${index}`} loading="lazy" decoding="async" />
        </a>
      )}
      <div className="generations-head">
        <a href={href('generations', generation)}>Candidate {index}</a>
        {isPicked && <Badge tone="good">picked</Badge>}
        {isBest && <Badge tone="info">best score</Badge>}
      </div>
      <small className="muted">
        {[
          ...(score === undefined ? [] : [`score ${score.toFixed(2)}`]),
          ...(seed === null ? [] : [`seed ${seed}`]),
          usd(price),
        ].join(' · ')}
      </small>
      {doubts.map((one) => (
        <small key={one} className="warn">
          {one}
        </small>
      ))}
      {url !== undefined && !isPicked && (
        <Button isBusy={isBusy} onClick={onPick} aria-label={`Pick candidate ${index}`}>
          Pick
        </Button>
      )}
    </li>
  );
}
