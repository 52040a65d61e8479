import { useRef, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { type PictureBody, type Preview, type Sent, sendAsStream, sendAsTask } from '../../api/playground.ts';
import { keyFor, type LastPress } from './press.ts';

/** What becomes of the last press. */
export type SendState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending'; readonly generation?: string; readonly previews: readonly Preview[] }
  | { readonly kind: 'sent'; readonly sent: Sent; readonly previews: readonly Preview[] }
  | { readonly kind: 'failed'; readonly error: unknown; readonly generation?: string };

/** What a streamed request asks for more. */
export const PREVIEW_FIELDS = { stream: true, partial_images: 3 } as const;

interface Wish {
  readonly body: PictureBody;
  readonly references: readonly File[];
  readonly isStreamed: boolean;
}

/** Sends the form; while it is on its way a second press does nothing, and what was not answered keeps its key. */
export function useSend() {
  const [state, setState] = useState<SendState>({ kind: 'idle' });
  const isOnItsWay = useRef(false);
  const last = useRef<LastPress | undefined>(undefined);

  async function send({ body, references, isStreamed }: Wish): Promise<void> {
    if (isOnItsWay.current) return;
    isOnItsWay.current = true;
    const files = references.map(({ name, size, lastModified }) => [name, size, lastModified]);
    const press = keyFor(JSON.stringify([body, files, isStreamed]), last.current, () => drawKey());
    last.current = press;
    const sending = { body, references, idempotencyKey: press.key };
    let previews: readonly Preview[] = [];
    let generation: string | undefined;
    const tell = () => setState({ kind: 'sending', previews, ...(generation !== undefined && { generation }) });
    tell();
    try {
      const hear = {
        onGeneration: (id: string) => {
          generation = id;
          tell();
        },
        onPreview: (preview: Preview) => {
          previews = [...previews, preview].slice(-MOST_PREVIEWS);
          tell();
        },
      };
      const sent = await (isStreamed
        ? sendAsStream({ ...sending, body: { ...body, ...PREVIEW_FIELDS } }, hear)
        : sendAsTask(sending));
      last.current = { ...press, isAnswered: true };
      setState({ kind: 'sent', sent, previews });
    } catch (error) {
      if (error instanceof ApiError) last.current = { ...press, isAnswered: true };
      const told = error instanceof ApiError ? (error.generation ?? generation) : generation;
      setState({ kind: 'failed', error, ...(told !== undefined && { generation: told }) });
    } finally {
      isOnItsWay.current = false;
    }
  }
  return { state, send, isBusy: state.kind === 'sending' };
}

const MOST_PREVIEWS = 4;

/** `crypto.randomUUID` is not there on an address of the local network without https. */
function drawKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
