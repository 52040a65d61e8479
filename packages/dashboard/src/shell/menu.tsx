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
  return (
    <header className="menu">
      <a className="menu-name" href={href('now')}>
        <img src="/page/icon.svg" alt="" width="22" height="22" />
        Onetake
      </a>
      <nav className="menu-pages" aria-label="Pages">
        {pages.map(({ id, title, key }) => (
          <a key={id} href={href(id)} aria-current={id === shown ? 'page' : undefined} aria-keyshortcuts={`g ${key}`}>
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
