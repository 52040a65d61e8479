import { type CandidateMember, useCandidateSet, usePick } from '../../api/candidates.ts';
import { ApiError } from '../../api/client.ts';
import { ownPath } from '../../api/gallery.ts';
import { href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { Badge } from '../../ui/layout.tsx';
import { ErrorBox, Loading } from '../../ui/states.tsx';
import { MOST_COMPARED } from './selection-bar.tsx';

/** The pictures that were made for the same wish, and which one is taken. */
export function Candidates({ id, hash }: { readonly id: string; readonly hash: string }) {
  const set = useCandidateSet(id);
  const pick = usePick(id);
  if (set.isPending) return <Loading what="the candidates" />;
  if (set.isError) {
    const isUnknown = set.error instanceof ApiError && set.error.status === 404;
    if (!isUnknown) return <ErrorBox error={set.error} onRetry={set.refetch} />;
    return <p className="muted">It was one of several candidates, whose set belongs to another key or is no more.</p>;
  }
  const { members, best, picked } = set.data;
  const shown = members.filter(({ url }) => url !== undefined).slice(0, MOST_COMPARED);
  return (
    <section className="gallery-candidates" aria-label="Candidates">
      <div className="card-head">
        <h3>Candidates</h3>
        {shown.length > 1 && (
          <a href={href('compare', undefined, { ids: shown.map(({ generation }) => generation).join(',') })}>
            Compare{shown.length < members.length ? ` the first ${shown.length}` : ''}
          </a>
        )}
      </div>
      <ul>
        {members.map((member) => (
          <Candidate
            key={member.index}
            member={member}
            isShown={member.sha256 === hash}
            isBest={member.index === best}
            isPicked={member.index === picked}
            isBusy={pick.isPending}
            onPick={() => pick.mutate(member.index)}
          />
        ))}
      </ul>
      {pick.isError && <ErrorBox error={pick.error} />}
    </section>
  );
}

function Candidate(props: {
  readonly member: CandidateMember;
  readonly isShown: boolean;
  readonly isBest: boolean;
  readonly isPicked: boolean;
  readonly isBusy: boolean;
  readonly onPick: () => void;
}) {
  const { member, isShown, isBest, isPicked, isBusy, onPick } = props;
  const { index, status, provider, model, url, score, doubts = [] } = member;
  const target = provider && model ? `${provider}/${model}` : '';
  return (
    <li className="gallery-candidate" data-shown={isShown || undefined}>
      {url ? (
        <a href={href('generations', member.generation)} aria-label={`Generation of candidate ${index}`}>
          <img
            className="gallery-candidate-picture"
            src={ownPath(url)}
            alt={`Candidate ${index}`}
            width="112"
            height="112"
            decoding="async"
            loading="lazy"
          />
        </a>
      ) : (
        <span className="gallery-candidate-picture muted">{status}</span>
      )}
      <small className="gallery-candidate-words" title={[target, ...doubts].join(' · ')}>
        {index}. {target}
        {score !== undefined && ` · ${score.toFixed(2)}`}
      </small>
      <span className="actions">
        {isPicked && <Badge tone="good">picked</Badge>}
        {isBest && !isPicked && <Badge tone="info">best score</Badge>}
        {url && !isPicked && (
          <Button look="quiet" aria-label={`Pick candidate ${index}`} isBusy={isBusy} onClick={onPick}>
            Pick
          </Button>
        )}
      </span>
    </li>
  );
}
