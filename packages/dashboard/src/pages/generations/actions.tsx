import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type GenerationDetail, isOver, readUpstream, useCancel } from '../../api/generations.ts';
import { href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { Code } from '../../ui/code.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorBox, Loading } from '../../ui/states.tsx';
import { Settle } from './settle.tsx';

type Open = 'curl' | 'settle' | 'cancel' | undefined;

/** What one can do with a generation. */
export function Actions({ generation }: { readonly generation: GenerationDetail }) {
  const [open, setOpen] = useState<Open>();
  const { id, billed, settled, request, timeline } = generation;
  const close = () => setOpen(undefined);
  const isDone = isOver(generation);
  const canSettle = isDone && billed === 'maybe' && settled === undefined;
  const wasSent = timeline.some(({ type }) => type === 'attempt-started');
  return (
    <>
      {request.operation !== undefined && (
        <a className="button" href={href('playground', undefined, { from: id })}>
          Again with these settings
        </a>
      )}
      {wasSent && <Button onClick={() => setOpen('curl')}>Copy as curl</Button>}
      {canSettle && (
        <Button look="main" onClick={() => setOpen('settle')}>
          Settle the charge
        </Button>
      )}
      {!isDone && (
        <Button look="danger" onClick={() => setOpen('cancel')}>
          Cancel it
        </Button>
      )}
      {open === 'curl' && <Curl id={id} onClose={close} />}
      {open === 'settle' && <Settle generation={generation} onClose={close} />}
      {open === 'cancel' && <Cancel id={id} onClose={close} />}
    </>
  );
}

function Curl({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ['upstream', id],
    queryFn: () => readUpstream(id),
    retry: false,
    staleTime: 60_000,
  });
  return (
    <Dialog title="The provider’s request, for a shell" onClose={onClose} isWide>
      {error && <ErrorBox error={error} />}
      {!error && !data && <Loading what="the request" />}
      {data && (
        <>
          <p className="muted">
            As attempt {data.attempt} sent it to <code>{data.target}</code>. The key stands in it as a variable; running
            it is a new request, which the provider bills.
          </p>
          <Code label="Command" text={data.curl ?? `curl -X ${data.method} '${data.url}'`} />
        </>
      )}
    </Dialog>
  );
}

function Cancel({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const cancel = useCancel();
  const word = cancel.data?.onetake?.cancel;
  return (
    <Dialog title="Cancel it" onClose={onClose}>
      <p>What was not sent is not sent any more. What a provider works on already may be billed all the same.</p>
      {cancel.isError && <ErrorBox error={cancel.error} />}
      {cancel.data && (
        <p role="status">
          <strong>{word === 'confirmed' ? 'It is canceled, and nothing more comes of it.' : CANCEL_WORDS}</strong>
        </p>
      )}
      <div className="actions">
        {cancel.data ? (
          <Button look="main" onClick={onClose}>
            Done
          </Button>
        ) : (
          <Button look="danger" isBusy={cancel.isPending} onClick={() => cancel.mutate(id)}>
            Cancel the generation
          </Button>
        )}
      </div>
    </Dialog>
  );
}

const CANCEL_WORDS = 'It is asked for; whether the provider stops, and bills it, is not known.';
