import { ownPath } from '../../api/gallery.ts';
import { type AdaptedField, type GenerationDetail, type GenerationPicture, isOver } from '../../api/generations.ts';
import { href } from '../../router.ts';
import { CopyButton } from '../../ui/code.tsx';
import { bytes } from '../../ui/format.ts';
import { Badge, Card } from '../../ui/layout.tsx';
import { adaptationWords } from './adaptation-words.ts';
import './generations.css';

/** What was asked for, in whose words, and what came of it. */
export function Made({ generation }: { readonly generation: GenerationDetail }) {
  const { images = [], set_aside: setAside = [], request, makes } = generation;
  const isChat = makes === 'chat' || request.operation === undefined;
  return (
    <div className="generations-list">
      {!isChat && (
        <Card title={images.length === 1 ? 'Picture' : 'Pictures'}>
          {images.length > 0 ? (
            <Pictures pictures={images} prompt={request.prompt ?? ''} />
          ) : (
            <p className="muted">{isOver(generation) ? 'None was handed over.' : 'It is still being made.'}</p>
          )}
        </Card>
      )}
      {setAside.length > 0 && (
        <Card title="Made, doubted and not handed over">
          <Pictures pictures={setAside} prompt={request.prompt ?? ''} />
        </Card>
      )}
      <Prompts generation={generation} />
      <Adapted generation={generation} />
    </div>
  );
}

export function Pictures({
  pictures,
  prompt,
}: {
  readonly pictures: readonly GenerationPicture[];
  readonly prompt: string;
}) {
  return (
    <div className="generations-pictures">
      {pictures.map((picture, index) => (
        <Picture key={picture.hash} picture={picture} name={`Picture ${index + 1} of “${prompt.slice(0, 80)}”`} />
      ))}
    </div>
  );
}

function Picture({ picture, name }: { readonly picture: GenerationPicture; readonly name: string }) {
  const { url, type, width, height, bytes: size, seed, suspect = [], converted_from: original } = picture;
  const link = ownPath(url);
  return (
    <figure className="generations-picture">
      <a href={link} target="_blank" rel="noreferrer">
        <img src={link} alt={name} width={width} height={height} loading="lazy" decoding="async" />
      </a>
      <figcaption>
        <span>
          {width}×{height} {type}, {bytes(size)}
          {seed !== undefined && <> · seed {seed}</>}
        </span>
        {suspect.map(({ code, detail }) => (
          <span key={code}>
            <Badge tone="warn">{code}</Badge> {detail}
          </span>
        ))}
        {original && (
          <a href={ownPath(original.url)} target="_blank" rel="noreferrer">
            as its provider made it ({original.type})
          </a>
        )}
      </figcaption>
    </figure>
  );
}

function Prompts({ generation }: { readonly generation: GenerationDetail }) {
  const { request, sent = [], prompt: begun, regenerated_from: from } = generation;
  const prompt = request.prompt ?? begun;
  const revised = [...new Set(generation.images?.flatMap((one) => one.revised_prompt ?? []))];
  const others = [...new Set(sent.flatMap((one) => one?.request.prompt ?? []))].filter((one) => one !== prompt);
  return (
    <Card title="Prompt" actions={<CopyButton text={prompt} label="Copy prompt" />}>
      <p className="generations-words">{prompt}</p>
      {request.negative_prompt !== undefined && (
        <p className="generations-words muted">Not in it: {request.negative_prompt}</p>
      )}
      {others.map((one) => (
        <div key={one}>
          <h3>As it was sent</h3>
          <p className="generations-words">{one}</p>
        </div>
      ))}
      {revised.map((one) => (
        <div key={one}>
          <h3>As its provider revised it</h3>
          <p className="generations-words">{one}</p>
        </div>
      ))}
      {from !== undefined && (
        <p>
          Made again from <a href={href('generations', from)}>{from}</a>
        </p>
      )}
    </Card>
  );
}

function Adapted({ generation }: { readonly generation: GenerationDetail }) {
  const { adapted = [], passed_over: passedOver = [] } = generation;
  const changed = adapted.filter(({ action }) => action !== 'kept');
  if (changed.length === 0 && passedOver.length === 0) return null;
  return (
    <Card title="What was changed on the way">
      <AdaptedList fields={changed} />
      {passedOver.length > 0 && (
        <ul className="generations-list-plain">
          {passedOver.map(({ target, reason }) => (
            <li key={target}>
              <code>{target}</code> was passed over: {reason}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** Changes in words, of what was sent and of what would be. */
export function AdaptedList({ fields }: { readonly fields: readonly AdaptedField[] }) {
  if (fields.length === 0) return null;
  return (
    <ul className="generations-list-plain">
      {fields.map((one) => (
        <li key={`${one.field} ${one.action}`}>{adaptationWords(one)}</li>
      ))}
    </ul>
  );
}
