import { useQueryClient } from '@tanstack/react-query';
import { Suspense, useEffect } from 'react';
import { onSignedOut } from './api/client.ts';
import { type Session, useSession } from './api/session.ts';
import { PAGES, type PageEntry } from './pages.ts';
import { usePlace } from './router.ts';
import { useGoToKeys } from './shell/go-to-keys.ts';
import { Menu } from './shell/menu.tsx';
import { SignIn } from './shell/sign-in.tsx';
import { ErrorBoundary } from './ui/error-boundary.tsx';
import { ErrorBox, Loading } from './ui/states.tsx';

/** The whole page: who is there, the menu, and the one that is shown. */
export function App() {
  const session = useSession();
  const queries = useQueryClient();
  useEffect(() => onSignedOut(() => queries.invalidateQueries({ queryKey: ['session'] })), [queries]);
  if (session.isPending) return <Loading what="the session" />;
  if (session.isError)
    return (
      <main className="alone">
        <ErrorBox error={session.error} onRetry={session.refetch} />
      </main>
    );
  return session.data.signed_in ? <Shell session={session.data} /> : <SignIn />;
}

function Shell({ session }: { readonly session: Session }) {
  const { page } = usePlace();
  const pages = PAGES.filter(({ needsSandbox }) => session.sandbox || needsSandbox === undefined);
  const shown = pages.find(({ id }) => id === page) ?? pages[0];
  useGoToKeys(pages);
  useEffect(() => {
    document.title = shown ? `${shown.title} · Onetake` : 'Onetake';
  }, [shown]);
  return (
    <div className="shell">
      <button type="button" className="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <Menu pages={pages} shown={shown?.id} session={session} />
      <main className="content" id="content" tabIndex={-1}>
        {shown && <Shown page={shown} />}
      </main>
    </div>
  );
}

function Shown({ page: { id, Component } }: { readonly page: PageEntry }) {
  return (
    <ErrorBoundary key={id}>
      <Suspense fallback={<Loading what="the page" />}>
        <Component />
      </Suspense>
    </ErrorBoundary>
  );
}
