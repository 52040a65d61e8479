import { type DragEvent, type FormEvent, useState } from 'react';
import { useStartBatch } from '../../api/batches.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { bytes } from '../../ui/format.ts';
import { Card } from '../../ui/layout.tsx';
import { ErrorBox } from '../../ui/states.tsx';
import { GLIMPSE_BYTES, type Glimpse, glimpseOf } from './lines.ts';

interface Chosen {
  readonly file: File;
  readonly glimpse: Glimpse;
}

/** A file of requests, chosen or dropped, becomes a batch. */
export function StartBatch() {
  const [chosen, setChosen] = useState<Chosen>();
  const [isOver, setOver] = useState(false);
  const start = useStartBatch();
  const take = async (file: File | undefined) => {
    start.reset();
    setChosen(file && { file, glimpse: glimpseOf(await file.slice(0, GLIMPSE_BYTES).text()) });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!chosen?.glimpse.ok) return;
    const wanted = { file: chosen.file, endpoint: chosen.glimpse.endpoint };
    start.mutate(wanted, { onSuccess: () => setChosen(undefined) });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  const wrong = chosen && !chosen.glimpse.ok ? `${chosen.file.name}: ${chosen.glimpse.why}` : undefined;
  return (
    <Card title="Begin one">
      <form
        className={`batches-start ${isOver ? 'batches-over' : ''}`}
        onSubmit={submit}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Field
          label="A file of requests (.jsonl)"
          hint="One request a line, as OpenAI’s batches have them. Choose it, or drop it here."
          error={wrong}
        >
          {(field) => (
            <input
              {...field}
              // An input that was sent is empty again.
              key={start.data?.id ?? 'first'}
              type="file"
              accept=".jsonl,.ndjson,application/jsonl,application/x-ndjson"
              onChange={({ target }) => take(target.files?.[0])}
            />
          )}
        </Field>
        <Button look="main" type="submit" isBusy={start.isPending} disabled={chosen?.glimpse.ok !== true}>
          Begin the batch
        </Button>
      </form>
      <p role="status" className="batches-said muted">
        {chosen?.glimpse.ok && (
          <>
            {chosen.file.name}, {bytes(chosen.file.size)}, for <code>{chosen.glimpse.endpoint}</code>
            {chosen.glimpse.prompt !== undefined && <>, beginning with “{chosen.glimpse.prompt.slice(0, 80)}”</>}
          </>
        )}
        {start.isSuccess && chosen === undefined && 'It was begun and is the first in the list.'}
      </p>
      {start.isError && <ErrorBox error={start.error} />}
    </Card>
  );
}
