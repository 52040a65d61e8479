import { useEffect } from 'react';
import { go, href } from '../router.ts';
import { isTyping } from './typing.ts';

const WITHIN_MS = 1_000;

/** `g` and then a letter goes to a page. */
export function useGoToKeys(pages: readonly { readonly id: string; readonly key: string }[]): void {
  useEffect(() => {
    let pressedAt = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      // What a dialog shows may be shown this once.
      if (document.querySelector('dialog[open]')) return;
      const isSecond = event.timeStamp - pressedAt < WITHIN_MS;
      pressedAt = event.key === 'g' && !isSecond ? event.timeStamp : Number.NEGATIVE_INFINITY;
      const page = isSecond ? pages.find(({ key }) => key === event.key) : undefined;
      if (page) go(href(page.id));
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [pages]);
}
