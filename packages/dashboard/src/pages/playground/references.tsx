import { type DragEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { Capabilities } from '../../api/models.ts';
import { Button } from '../../ui/button.tsx';
import { bytes } from '../../ui/format.ts';

const MOST_FILES = 16;

/** Pictures to work from, by drop, paste or choice. */
export function References(props: {
  readonly files: readonly File[];
  readonly change: (files: readonly File[]) => void;
  readonly capabilities: Capabilities | undefined;
}) {
  const { files, change, capabilities } = props;
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [said, setSaid] = useState('');
  const add = (given: readonly File[]) => {
    const pictures = given.filter(({ type }) => type.startsWith('image/'));
    const room = pictures.slice(0, Math.max(0, MOST_FILES - files.length));
    setSaid(noteOf(given.length, pictures.length, room.length));
    if (room.length > 0) change([...files, ...room]);
  };
  usePasted(add);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    add([...event.dataTransfer.files]);
  };
  const none = capabilities !== undefined && capabilities.references === undefined;
  return (
    <section
      className={`playground-references${isOver ? ' playground-over' : ''}`}
      aria-label="Pictures to work from"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <div className="playground-drop">
        <Button onClick={() => input.current?.click()}>Add pictures</Button>
        <small className="muted">
          {none ? 'This model takes none; choose another to work from pictures.' : hintOf(capabilities)}
        </small>
        <input
          ref={input}
          type="file"
          accept="image/*"
          multiple
          hidden
          aria-label="Choose pictures"
          onChange={({ target }) => {
            add([...(target.files ?? [])]);
            target.value = '';
          }}
        />
      </div>
      <output className="muted">{said}</output>
      {files.length > 0 && (
        <ul className="playground-files">
          {files.map((file, at) => (
            <Reference
              key={`${file.name} ${file.size} ${file.lastModified} ${String(at)}`}
              file={file}
              remove={() => change(files.filter((one) => one !== file))}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function hintOf(capabilities: Capabilities | undefined): string {
  const most = capabilities?.references?.max;
  return `Or drop or paste them here, to be changed or worked from${most === undefined ? '' : `; at most ${most}`}.`;
}

function noteOf(given: number, pictures: number, taken: number): string {
  if (pictures < given) return `${given - pictures} of what you gave is no picture.`;
  return taken < pictures ? `${MOST_FILES} pictures are the most.` : '';
}

function usePasted(add: (files: readonly File[]) => void): void {
  const latest = useRef(add);
  useEffect(() => {
    latest.current = add;
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      latest.current(files);
    };
    window.addEventListener('paste', onPaste);
    return () => window.removeEventListener('paste', onPaste);
  }, []);
}

function Reference({ file, remove }: { readonly file: File; readonly remove: () => void }) {
  const url = useMemo(() => URL.createObjectURL(file), [file]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <li>
      <img src={url} alt="" width="64" height="64" />
      <span className="playground-file">
        {file.name}
        <small className="muted">{bytes(file.size)}</small>
      </span>
      <Button look="quiet" aria-label={`Remove ${file.name}`} onClick={remove}>
        ✕
      </Button>
    </li>
  );
}
