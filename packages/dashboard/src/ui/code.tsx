import { useState } from 'react';
import { Button } from './button.tsx';

const SAID_FOR_MS = 2_000;

/** Copies a text and says so. */
export function CopyButton({ text, label = 'Copy' }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      setSaid('Select and copy it by hand');
    }
    setTimeout(() => setSaid(''), SAID_FOR_MS);
  };
  return (
    <Button look="quiet" onClick={copy}>
      <span aria-live="polite">{said || label}</span>
    </Button>
  );
}

/** A text for a terminal or an editor, with a button that copies it. */
export function Code({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="code">
      <CopyButton text={text} />
      <section className="code-text" aria-label={label} {...{ tabIndex: 0 }}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </div>
  );
}
