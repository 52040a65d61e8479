import { type RefObject, useEffect, useState } from 'react';
import { isTyping } from '../../shell/typing.ts';
import { Dialog } from '../../ui/dialog.tsx';

const KEYS = [
  ['/', 'to the filter'],
  ['j', 'to the next row'],
  ['k', 'to the row before'],
  ['Enter', 'opens the row'],
  ['?', 'shows this'],
] as const;

/** The shortcuts of the list, and whether they are shown. */
export function useListKeys(first: RefObject<HTMLInputElement | null>) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '?') setOpen(true);
      else if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1);
      else if (event.key === '/') first.current?.focus();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [first]);
  return { isOpen, open: () => setOpen(true), close: () => setOpen(false) };
}

function step(by: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}

export function Shortcuts({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Shortcuts" onClose={onClose}>
      <dl className="generations-facts">
        {KEYS.map(([key, words]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
