import { useState } from 'react';
import type { MadeKey } from '../../api/keys.ts';
import { useSignIn } from '../../api/session.ts';
import { Button } from '../../ui/button.tsx';
import { Code } from '../../ui/code.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorBox } from '../../ui/states.tsx';

/** The key itself, this once. A stray Escape does not take it away: it has to be said that it is copied. */
export function Secret(props: { readonly made: MadeKey; readonly isFirst: boolean; readonly onClose: () => void }) {
  const { made, isFirst, onClose } = props;
  const signIn = useSignIn();
  const [wasLeaving, setLeaving] = useState(false);
  const staysSignedIn = isFirst && made.admin;
  const close = () => {
    // Who made the first key and may administer with it stays where they are.
    if (staysSignedIn) signIn.mutate(made.key, { onSuccess: onClose });
    else onClose();
  };
  return (
    <Dialog title={`Key “${made.name}”`} onClose={() => setLeaving(true)}>
      <p className="keys-note">
        <strong>Copy it now.</strong> It is shown this once; the gateway keeps only what recognises it. Whoever loses it
        gets a new one.
      </p>
      <Code text={made.key} label={`The key ${made.name}`} />
      <p className="muted">
        Clients send it as <code>authorization: Bearer …</code>; OpenAI’s SDKs read it from <code>OPENAI_API_KEY</code>.
      </p>
      {isFirst && (
        <p>
          {made.admin
            ? 'From now on this page needs a key: it goes on with this one.'
            : 'From now on this page needs an administrator’s key: what stands in admin.key in the data directory signs in.'}
        </p>
      )}
      {wasLeaving && <p role="alert">It cannot be shown again. Is it copied? Then say so below.</p>}
      {signIn.isError && <ErrorBox error={signIn.error} />}
      <div className="actions">
        <Button look="main" isBusy={signIn.isPending} onClick={close}>
          I have copied it
        </Button>
      </div>
    </Dialog>
  );
}
