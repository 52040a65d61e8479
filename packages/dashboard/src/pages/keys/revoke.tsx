import { useRevokeKey } from '../../api/keys.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorBox } from '../../ui/states.tsx';

/** Asks before a key ends for good. */
export function Revoke({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const revoke = useRevokeKey();
  return (
    <Dialog title={`Revoke “${name}”?`} onClose={onClose}>
      <p>
        Its requests are refused from now on with 401. It cannot be undone, and the name is not given again. What it
        made and what it cost stay.
      </p>
      {revoke.isError && <ErrorBox error={revoke.error} />}
      <div className="actions">
        <Button look="danger" isBusy={revoke.isPending} onClick={() => revoke.mutate(name, { onSuccess: onClose })}>
          Revoke it
        </Button>
        <Button onClick={onClose}>Keep it</Button>
      </div>
    </Dialog>
  );
}
