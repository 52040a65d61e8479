import { type Batch, isOver } from './batch.ts';
import { chatEndpointOf } from './chat-batch.ts';
import { checkInput } from './check-input.ts';
import { newFileId } from './files.ts';
import { type Held, LostBatchError } from './held.ts';
import { type RunChatLinesDeps, runChatLines } from './run-chat-lines.ts';
import { type LinePaths, type RunLinesDeps, runLines } from './run-lines.ts';
import { type WriteOutputDeps, writeOutput } from './write-output.ts';

export type DriveDeps = RunLinesDeps & RunChatLinesDeps & WriteOutputDeps;

const RENEW_EVERY_MS = 1_000;

/** Takes a batch from wherever it stands to its end; returns early when it is to be let go. Owes its `release`. */
export async function drive(held: Held, paths: LinePaths, deps: DriveDeps): Promise<void> {
  let progress = (): Partial<Batch> => ({});
  const stopRenewing = renewing(held, () => progress(), deps);
  try {
    if (held.batch().status === 'validating') await validate(held, paths, deps);
    if (isOver(held.batch())) return;
    if (held.batch().status !== 'finalizing' && held.batch().counts.total > 0) {
      const run = chatEndpointOf(held.batch()) ? runChatLines : runLines;
      await run(held, paths, deps, (begun) => {
        progress = begun;
      });
    }
    if (!held.leaving.aborted) await finish(held, paths, deps, progress());
  } catch (error) {
    if (!(error instanceof LostBatchError) && !held.leaving.aborted) throw error;
  } finally {
    stopRenewing();
  }
}

async function validate(held: Held, { input }: LinePaths, { io }: DriveDeps): Promise<void> {
  const { total, faults } = await checkInput(input, held.batch().endpoint);
  const now = io.now();
  await held.update((batch) => {
    const counts = { total, completed: 0, failed: 0 };
    if (faults.length > 0) return { ...batch, status: 'failed', faults, counts, endedAt: now };
    // Asked to end while it was read, it goes on to that.
    const status = batch.status === 'validating' ? 'in_progress' : batch.status;
    return { ...batch, status, counts, inProgressAt: now };
  });
}

async function finish(held: Held, paths: LinePaths, deps: DriveDeps, progress: Partial<Batch>): Promise<void> {
  const { io } = deps;
  const ended = held.ending.aborted && held.batch().status !== 'finalizing';
  const { status } = await held.update((batch) => ({
    ...batch,
    ...progress,
    ...(!ended && { status: 'finalizing' as const, finalizingAt: batch.finalizingAt ?? io.now() }),
    files: batch.files ?? { output: newFileId(), error: newFileId() },
  }));
  const { counts, written } = await writeOutput(held, paths, deps);
  const last = status === 'finalizing' ? 'completed' : status === 'cancelling' ? 'cancelled' : 'expired';
  await held.update((batch) => ({ ...batch, status: last, counts, written, endedAt: io.now() }));
}

/** Every second, so that who asks sees it move, and long before the lease ends. */
function renewing(held: Held, progress: () => Partial<Batch>, { io }: DriveDeps): () => void {
  let stop = () => {};
  const later = () => {
    stop = io.timer(io.now() + RENEW_EVERY_MS, () => {
      // Lost, it is let go; a store that is away for a moment is asked again.
      held.renew(progress()).catch(() => {});
      later();
    });
  };
  later();
  return () => stop();
}
