import { useState } from 'react';
import type { GenerationDetail } from '../../api/generations.ts';
import { Code } from '../../ui/code.tsx';
import { duration } from '../../ui/format.ts';
import { Card } from '../../ui/layout.tsx';
import { eventWords } from './event-words.ts';

/** A job that was looked at for an hour has more than anybody reads. */
const MOST_EVENTS = 200;

/** What happened, as sentences, and as it is kept. */
export function Journal({ generation }: { readonly generation: GenerationDetail }) {
  const { timeline } = generation;
  const [isRaw, setRaw] = useState(false);
  const many = timeline.some(({ run }) => run !== undefined);
  const shown = timeline.slice(0, MOST_EVENTS);
  return (
    <Card title="What happened">
      {shown.length === 0 && <p className="muted">Nothing yet: it waits for its turn.</p>}
      <ol className="generations-events">
        {shown.map((event, at) => (
          <li key={`${event.ms} ${event.type} ${String(at)}`}>
            <time dateTime={new Date(event.at).toISOString()} title={new Date(event.at).toISOString()}>
              {duration(event.ms)}
            </time>
            <span>
              {many && <span className="muted">run {(event.run ?? 0) + 1}: </span>}
              {eventWords(event)}
            </span>
          </li>
        ))}
      </ol>
      {timeline.length > MOST_EVENTS && <p className="muted">{timeline.length - MOST_EVENTS} more are in the JSON.</p>}
      <details className="generations-fold" onToggle={({ currentTarget }) => setRaw(currentTarget.open)}>
        <summary>All of it as JSON</summary>
        {isRaw && <Code label="The generation as JSON" text={JSON.stringify(generation, null, 2)} />}
      </details>
    </Card>
  );
}
