import { useEffect, useRef } from 'react';
import { type Session, useSignOut } from '../api/session.ts';
import type { PageEntry } from '../pages.ts';
import { href } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { ThemeChoice } from './theme-choice.tsx';

/** Where one can go, and who is there. */
export function Menu(props: {
  readonly pages: readonly PageEntry[];
  readonly shown: string | undefined;
  readonly session: Session;
}) {
  const { pages, shown, session } = props;
  const signOut = useSignOut();
  const entries = pages.filter(({ under }) => under === undefined);
  const current = pages.find(({ id }) => id === shown)?.under ?? shown;
  const nav = useRef<HTMLElement>(null);
  // On a narrow window the entries scroll sideways, and where one is must be among those that are seen.
  useEffect(() => {
    if (current !== undefined) nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  return (
    <header className="menu">
      <a className="menu-name" href={href('now')}>
        <img src="/page/icon.svg" alt="" width="22" height="22" />
        Onetake
      </a>
      <nav className="menu-pages" aria-label="Pages" ref={nav}>
        {entries.map(({ id, title, key }) => (
          <a key={id} href={href(id)} aria-current={id === current ? 'page' : undefined} aria-keyshortcuts={`g ${key}`}>
            {title}
          </a>
        ))}
      </nav>
      <div className="menu-foot">
        <ThemeChoice />
        {session.needs_key && (
          <Button look="quiet" onClick={() => signOut.mutate()}>
            Sign out
          </Button>
        )}
        <small className="muted">
          {session.caller} · {session.version}
        </small>
      </div>
    </header>
  );
}
