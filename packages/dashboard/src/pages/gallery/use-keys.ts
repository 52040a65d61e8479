import { useEffect, useRef } from 'react';
import { isTyping } from '../../shell/typing.ts';

/**
 * Hears keys, without Ctrl, Alt or ⌘, that are not being written into something; of the page only while no dialog is over
 * it. `onKey` says whether the key was of use: then the browser does nothing with it.
 */
export function useKeys(where: 'page' | 'dialog', onKey: (key: string) => boolean): void {
  const latest = useRef(onKey);
  useEffect(() => {
    latest.current = onKey;
  });
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (where === 'page' && document.querySelector('dialog[open]') !== null) return;
      if (latest.current(event.key)) event.preventDefault();
    };
    window.addEventListener('keydown', hear);
    return () => window.removeEventListener('keydown', hear);
  }, [where]);
}
