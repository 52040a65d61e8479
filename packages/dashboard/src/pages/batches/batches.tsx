import { useState } from 'react';
import { type Batch, type BatchList, useBatches } from '../../api/batches.ts';
import { useSession } from '../../api/session.ts';
import { href } from '../../router.ts';
import { Button } from '../../ui/button.tsx';
import { Code } from '../../ui/code.tsx';
import { count } from '../../ui/format.ts';
import { Card, Page } from '../../ui/layout.tsx';
import { Empty, Queried } from '../../ui/states.tsx';
import { BatchRow } from './batch-row.tsx';
import { CancelDialog } from './cancel.tsx';
import { curlFor, exampleLines } from './lines.ts';
import { StartBatch } from './start.tsx';
import './batches.css';

/** Many requests in a file: how far they are, and how to begin some. */
export default function Batches() {
  const batches = useBatches();
  const session = useSession();
  const [cancelling, setCancelling] = useState<Batch>();
  return (
    <Page title="Batches">
      <StartBatch />
      <Queried query={batches} what="the batches">
        {(list) => <List list={list} caller={session.data?.caller ?? 'this key'} onCancel={setCancelling} />}
      </Queried>
      {!batches.isPending && <HowTo model={session.data?.default_model ?? 'sandbox/ok'} />}
      {cancelling && <CancelDialog batch={cancelling} onClose={() => setCancelling(undefined)} />}
    </Page>
  );
}

function List(props: { readonly list: BatchList; readonly caller: string; readonly onCancel: (batch: Batch) => void }) {
  const { list, caller, onCancel } = props;
  if (list.data.length === 0) {
    return (
      <Empty>
        {caller} has no batch. Choose a file above, or begin one from a terminal as below. Batches belong to the key
        that made them; what other keys’ batches make shows in <a href={href('generations')}>Generations</a>.
      </Empty>
    );
  }
  return (
    <section aria-label="Batches">
      <ul className="batches-list">
        {list.data.map((batch) => (
          <BatchRow key={batch.id} batch={batch} onCancel={() => onCancel(batch)} />
        ))}
      </ul>
      {list.has_more && <p className="muted">These are the newest {count(list.data.length)}.</p>}
      <p className="muted">These are the batches of {caller}; every key sees its own.</p>
    </section>
  );
}

function HowTo({ model }: { readonly model: string }) {
  const [isShown, setShown] = useState(false);
  return (
    <Card
      title="From a terminal"
      actions={
        <Button aria-expanded={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? 'Hide' : 'Show how'}
        </Button>
      }
    >
      {isShown && (
        <>
          <h3>A picture for each line of a file, into a directory</h3>
          <p className="muted">
            Paced, resumable, never paid for twice; <code>--dry-run</code> says before what it will cost.
          </p>
          <Code
            text={`onetake batch prompts.csv --model ${model} --dry-run\nonetake batch prompts.csv --model ${model} --out out`}
            label="A batch by the command line"
          />
          <h3>As OpenAI’s batches, with any client of theirs</h3>
          <Code text={exampleLines(model)} label="requests.jsonl" />
          <Code text={curlFor(location.origin)} label="A batch by curl" />
        </>
      )}
    </Card>
  );
}
