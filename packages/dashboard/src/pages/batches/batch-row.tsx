import { useState } from 'react';
import { type Batch, fileContent, isOver } from '../../api/batches.ts';
import { Button } from '../../ui/button.tsx';
import { count, duration, percent } from '../../ui/format.ts';
import { Badge } from '../../ui/layout.tsx';
import { saveAs } from '../../ui/save-as.ts';
import { ErrorBox } from '../../ui/states.tsx';
import { Ago, Time, useSeconds } from '../../ui/time.tsx';
import { endedAt, leftMs, shareDone, stateOf } from './progress.ts';

const SECOND_MS = 1_000;
const SHOWN_FAULTS = 5;

/** One batch: how far it is, what came of it, and its files. */
export function BatchRow({ batch, onCancel }: { readonly batch: Batch; readonly onCancel: () => void }) {
  const { id, endpoint, created_at: createdAt, metadata, status } = batch;
  const { word, tone } = stateOf(batch);
  const ended = endedAt(batch);
  const name = metadata?.name ?? id;
  return (
    <li className="card batches-row" aria-label={`Batch ${name}`}>
      <div className="card-head">
        <div className="batches-name">
          <h2>{name}</h2>
          <Badge tone={tone}>{word}</Badge>
        </div>
        <div className="actions">
          <Files batch={batch} />
          {!isOver(batch) && status !== 'cancelling' && status !== 'finalizing' && (
            <Button look="danger" aria-label={`Cancel ${name}`} onClick={onCancel}>
              Cancel
            </Button>
          )}
        </div>
      </div>
      <Progress batch={batch} />
      <p className="batches-facts muted">
        {name !== id && <code>{id}</code>}
        <code>{endpoint}</code>
        <span>
          begun <Ago at={createdAt * SECOND_MS} />
        </span>
        {ended !== undefined && (
          <span>
            ended <Time at={ended} />, took {duration(Math.max(SECOND_MS, ended - createdAt * SECOND_MS))}
          </span>
        )}
      </p>
      <Faults batch={batch} />
    </li>
  );
}

function Progress({ batch }: { readonly batch: Batch }) {
  const { request_counts: counts } = batch;
  const share = shareDone(batch);
  if (batch.status === 'failed') return null;
  if (share === null) return <p className="muted">Its lines are being read.</p>;
  const words = `${count(counts.completed)} of ${count(counts.total)} done${counts.failed > 0 ? `, ${count(counts.failed)} failed` : ''}`;
  return (
    <div className="batches-progress">
      <progress max={1} value={share} aria-label={words} />
      <span>
        {percent(share)} · {words}
        {!isOver(batch) && <Left batch={batch} />}
      </span>
    </div>
  );
}

function Left({ batch }: { readonly batch: Batch }) {
  const left = leftMs(batch, useSeconds());
  return left === undefined ? null : <span className="muted"> · about {duration(Math.max(SECOND_MS, left))} left</span>;
}

function Files({ batch }: { readonly batch: Batch }) {
  const [error, setError] = useState<unknown>();
  const [loading, setLoading] = useState('');
  const files = [
    ['Answers', batch.output_file_id],
    ['Failed lines', batch.error_file_id],
    ['Input', batch.input_file_id],
  ] as const;
  const save = async (id: string) => {
    setLoading(id);
    setError(undefined);
    try {
      saveAs(await fileContent(id), `${id}.jsonl`);
    } catch (thrown) {
      setError(thrown);
    }
    setLoading('');
  };
  return (
    <>
      {files.map(
        ([label, id]) =>
          id !== null && (
            <Button key={label} isBusy={loading === id} aria-label={`${label} of ${batch.id}`} onClick={() => save(id)}>
              {label} ↓
            </Button>
          ),
      )}
      {error !== undefined && <ErrorBox error={error} />}
    </>
  );
}

function Faults({ batch: { errors } }: { readonly batch: Batch }) {
  if (errors === null || errors.data.length === 0) return null;
  const more = errors.data.length - SHOWN_FAULTS;
  return (
    <div className="error-box">
      <p>
        <strong>Nothing of it was sent, because of its lines.</strong> Correct them and begin it again.
      </p>
      <ul>
        {errors.data.slice(0, SHOWN_FAULTS).map((fault) => (
          <li key={`${fault.line} ${fault.code} ${fault.message}`}>{fault.message}</li>
        ))}
      </ul>
      {more > 0 && <p>and {count(more)} more</p>}
    </div>
  );
}
