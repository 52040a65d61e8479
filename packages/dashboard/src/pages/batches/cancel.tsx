import { type Batch, useCancelBatch } from '../../api/batches.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorBox } from '../../ui/states.tsx';

/** Asks before the rest of a batch is given up. */
export function CancelDialog({ batch, onClose }: { readonly batch: Batch; readonly onClose: () => void }) {
  const cancel = useCancelBatch();
  return (
    <Dialog title="Cancel the batch?" onClose={onClose}>
      <p>
        Lines that were not sent are not sent any more and cost nothing. What runs at a provider is finished, and what
        is done stays: its answers are in the file.
      </p>
      {cancel.isError && <ErrorBox error={cancel.error} />}
      <div className="actions">
        <Button look="danger" isBusy={cancel.isPending} onClick={() => cancel.mutate(batch.id, { onSuccess: onClose })}>
          Cancel the batch
        </Button>
        <Button onClick={onClose}>Let it go on</Button>
      </div>
    </Dialog>
  );
}
