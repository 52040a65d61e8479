import { type FormEvent, useState } from 'react';
import { useSignIn } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { ErrorBox } from '../ui/states.tsx';

/** A key that administers opens the page; it is kept by nobody, the gateway answers with a cookie that scripts cannot read. */
export function SignIn() {
  const [key, setKey] = useState('');
  const signIn = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(key.trim());
  };
  return (
    <main className="alone">
      <form className="card sign-in" onSubmit={submit}>
        <h1>
          <img src="/page/icon.svg" alt="" width="28" height="28" /> Onetake
        </h1>
        <Field
          label="Administrator’s key"
          hint="ONETAKE_ADMIN_KEY, or what stands in admin.key in the data directory of the gateway."
        >
          {(field) => (
            <input
              {...field}
              type="password"
              autoComplete="current-password"
              required
              value={key}
              onChange={({ target }) => setKey(target.value)}
            />
          )}
        </Field>
        {signIn.isError && <ErrorBox error={signIn.error} />}
        <Button look="main" type="submit" isBusy={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
