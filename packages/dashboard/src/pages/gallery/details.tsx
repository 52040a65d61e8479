import { type Mark, ownPath, type Picture } from '../../api/gallery.ts';
import { useSettings } from '../../api/settings.ts';
import { href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/code.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { bytes, usd } from '../../ui/format.ts';
import { Time } from '../../ui/time.tsx';
import { Candidates } from './candidates.tsx';
import { fileName } from './download.ts';
import { useKeys } from './use-keys.ts';

interface DetailsProps {
  readonly picture: Picture;
  readonly isSelected: boolean;
  readonly onMark: (picture: Picture, mark: Mark) => void;
  readonly onSelect: () => void;
  /** One further or back; it does nothing at the ends. */
  readonly onMove: (by: 1 | -1) => void;
  readonly onClose: () => void;
}

/** One picture large, with what it was made of and what can be done with it. */
export function Details(props: DetailsProps) {
  const { picture, onMark, onSelect, onMove, onClose } = props;
  const { prompt, mark, url, width, height } = picture;
  useKeys('dialog', (key) => {
    const does: Readonly<Record<string, () => void>> = {
      ...{ ArrowLeft: () => onMove(-1), ArrowRight: () => onMove(1), c: onSelect },
      s: () => onMark(picture, mark === 'star' ? null : 'star'),
      x: () => onMark(picture, mark === 'reject' ? null : 'reject'),
    };
    const act = does[key];
    act?.();
    return act !== undefined;
  });
  return (
    <Dialog title="Picture" isWide onClose={onClose}>
      <div className="gallery-details">
        <a className="gallery-large" href={ownPath(url)} target="_blank" rel="noreferrer" title="Open the file">
          <img key={url} src={ownPath(url)} alt={prompt} width={width} height={height} decoding="async" />
        </a>
        <Facts {...props} />
      </div>
    </Dialog>
  );
}

function Facts({ picture, isSelected, onMark, onSelect, onMove }: DetailsProps) {
  const { generation, prompt, mark, url } = picture;
  return (
    <div className="gallery-facts">
      <div className="actions">
        <Button aria-pressed={mark === 'star'} onClick={() => onMark(picture, mark === 'star' ? null : 'star')}>
          {mark === 'star' ? '★ Starred' : '☆ Star'}
        </Button>
        <Button aria-pressed={mark === 'reject'} onClick={() => onMark(picture, mark === 'reject' ? null : 'reject')}>
          {mark === 'reject' ? '✕ Rejected' : '✕ Reject'}
        </Button>
        <Button aria-pressed={isSelected} onClick={onSelect}>
          {isSelected ? '✓ Selected' : 'Select'}
        </Button>
        <Button look="quiet" aria-label="The picture before" onClick={() => onMove(-1)}>
          ←
        </Button>
        <Button look="quiet" aria-label="The next picture" onClick={() => onMove(1)}>
          →
        </Button>
      </div>
      <div className="gallery-prompt">
        <p>{prompt}</p>
        <CopyButton text={prompt} label="Copy the prompt" />
      </div>
      <FactList picture={picture} />
      <div className="actions">
        <a className="button button-main" href={href('playground', undefined, { from: generation })}>
          Again with these settings
        </a>
        <a className="button" href={ownPath(url)} download={fileName(picture)}>
          Download
        </a>
        <a className="button" href={href('generations', generation)}>
          Generation
        </a>
      </div>
      {picture.candidates !== null && <Candidates id={picture.candidates} hash={picture.hash} />}
    </div>
  );
}

function FactList({ picture }: { readonly picture: Picture }) {
  const { route, target, caller, width, height, type, created_at, generation } = picture;
  const settings = useSettings(picture);
  return (
    <dl className="gallery-list">
      <dt>Model</dt>
      <dd>
        {route}
        {target !== null && target !== route && <span className="muted"> → {target}</span>}
      </dd>
      <dt>Picture</dt>
      <dd>
        {width} × {height} {type}, {bytes(picture.bytes)}
      </dd>
      <dt>Seed</dt>
      <dd>{settings.data?.seed ?? '–'}</dd>
      <dt>Made</dt>
      <dd>
        <Time at={created_at} />
      </dd>
      {caller !== undefined && (
        <>
          <dt>Key</dt>
          <dd>{caller}</dd>
        </>
      )}
      <dt>Price</dt>
      <dd>
        <a href={href('generations', generation)}>{settings.data ? usd(settings.data.priceUsd) : '…'}</a>
        {(settings.data?.pictures ?? 1) > 1 && <span className="muted"> for {settings.data?.pictures} pictures</span>}
      </dd>
    </dl>
  );
}
