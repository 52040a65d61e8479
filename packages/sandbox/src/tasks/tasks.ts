import { keptPrompt } from '../accept.ts';
import type { ImageContext } from '../exchange.ts';
import { openTaskBook, type TaskBook } from './book.ts';
import { describeTask } from './describe.ts';
import { courseOf, type State, stateOf, type Task } from './task.ts';
import { createWatch } from './watch.ts';
import { createCourier, type Letter } from './webhook.ts';

/** The jobs of a sandbox, and what happens to them unasked: they end, leave the concurrency, and send their webhook. */
export interface Tasks {
  get(id: string): Task | undefined;
  all(): Iterable<Task>;
  /** Counts the looks at a job, from 1, since the process began. */
  countLook(id: string): number;
  /** Ends what is due and forgets the oldest ended jobs where there are too many; false when too many are open. */
  makeRoom(now: number): boolean;
  /** Takes a job on that was charged; `leave` is called when it ends. */
  add(task: Task, leave: () => void): void;
  /** Gives a job up, and takes its charge back unless it is `billed`: by default where it had begun. */
  cancel(task: Task, now: number, billed?: boolean): Task;
  forget(): void;
  close(): void;
}

/** Writes what a webhook says of a job that has ended. */
export type WriteLetter = (context: ImageContext, task: Task, state: State) => Promise<Letter>;

const MAX_OPEN = 50_000;

/** Goes on with the jobs of an earlier process as if it had never ended. */
export function openTasks(dataDir: string, context: ImageContext, imitated: WriteLetter): Tasks {
  const { ledger, limiter } = context;
  const book = openTaskBook(dataDir);
  const courier = createCourier();
  const tell = (id: string) => {
    const task = book.get(id);
    const state = task && stateOf(task, Date.now());
    if (!state || !wantsWebhook(task, state)) return;
    // Written before it is sent: a kill in between loses it, which callers must bear anyway, and none comes twice.
    book.tell(id);
    const write = task.imitation ? imitated : writeLetter;
    courier.send(task.webhookUrl, () => write(context, task, state));
  };
  const watch = createWatch(tell);
  takeChargeBack(book, ledger);
  goOn(book, limiter, watch, tell);

  return {
    get: book.get,
    all: book.all,
    countLook: book.countLook,
    makeRoom(now) {
      watch.endDue(now);
      return watch.size < MAX_OPEN && book.makeRoom(now);
    },
    add(task, leave) {
      book.add(task);
      watch.follow(task.id, stateOf(task, task.at).endsAt, leave);
    },
    cancel(task, now, begun = stateOf(task, now).status === 'running') {
      const billed = task.charged > 0 && begun;
      const canceled = book.cancel(task.id, { at: now, billed }) ?? task;
      takeChargeBack(book, ledger);
      watch.end(task.id);
      return canceled;
    },
    forget() {
      watch.clear();
      book.forget();
    },
    close() {
      watch.clear();
      courier.close();
      book.close();
    },
  };
}

async function writeLetter(context: ImageContext, task: Task, state: State): Promise<Letter> {
  return { body: JSON.stringify(await describeTask(context, task, state, Date.now())) };
}

function wantsWebhook(task: Task, { status }: State): task is Task & { readonly webhookUrl: string } {
  if (task.webhookUrl === undefined || task.told || status === 'gone') return false;
  return courseOf(task).quirk !== 'no webhook';
}

function goOn(
  book: TaskBook,
  limiter: ImageContext['limiter'],
  watch: ReturnType<typeof createWatch>,
  tell: (id: string) => void,
): void {
  const now = Date.now();
  for (const task of book.all()) {
    const { ended, endsAt } = stateOf(task, now);
    if (ended) tell(task.id);
    else watch.follow(task.id, endsAt, limiter.enter());
  }
}

/** Takes back the charge of the job canceled last, unless that is done: a kill may have come between book and bill. */
function takeChargeBack(book: TaskBook, ledger: ImageContext['ledger']): void {
  const task = book.lastRefund();
  if (!task?.canceled || ledger.lastRefund() === task.id) return;
  ledger.append({
    at: task.canceled.at,
    operation: 'cancel',
    model: task.model,
    prompt: keptPrompt(task.call.prompt),
    played: 'canceled before it ran',
    images: -task.charged,
    charged: -task.charged,
    job: task.id,
  });
}
