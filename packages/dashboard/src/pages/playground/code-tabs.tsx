import { type KeyboardEvent, useId, useState } from 'react';
import type { PictureBody } from '../../api/playground.ts';
import { Code } from '../../ui/code.tsx';
import { Card } from '../../ui/layout.tsx';
import { type Program, programsFor } from './code.ts';

/** The form as a program. */
export function CodeTabs(props: {
  readonly body: PictureBody;
  readonly files: readonly string[];
  readonly needsKey: boolean;
}) {
  const [shown, setShown] = useState<Program['id']>('curl');
  const id = useId();
  const programs = programsFor({ ...props, origin: location.origin });
  const program = programs.find((one) => one.id === shown);
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    const at = programs.findIndex((one) => one.id === shown);
    const next = programs[(at + by + programs.length) % programs.length];
    if (!next) return;
    setShown(next.id);
    document.getElementById(`${id}-${next.id}`)?.focus();
  };
  return (
    <Card title="The same as code">
      <div role="tablist" aria-label="Language" className="playground-tabs" onKeyDown={onKey}>
        {programs.map((one) => (
          <button
            key={one.id}
            type="button"
            role="tab"
            id={`${id}-${one.id}`}
            aria-selected={one.id === shown}
            aria-controls={`${id}-panel`}
            tabIndex={one.id === shown ? 0 : -1}
            onClick={() => setShown(one.id)}
          >
            {one.title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${shown}`}>
        {program && <Code text={program.text} label={`Code for ${program.title}`} />}
      </div>
    </Card>
  );
}
