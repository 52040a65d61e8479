import { failureOf } from './classify.ts';
import { type AttemptWork, type Clocks, type Conversation, contextOf, exchangeOptions } from './conversation.ts';
import { credentialOf } from './environment.ts';
import { exchange } from './exchange.ts';
import { createIntake } from './images/intake.ts';
import { STALL_MS, stalled } from './policy/free.ts';

/** Between the end of one look and the next. */
const WATCH_EVERY_MS = 3_000;
/** A look is small; one that takes longer is given up, and tells nothing. */
const WATCH_TOTAL_MS = 10_000;

/**
 * Sends a submit that is answered only when it is done, and meanwhile asks its server over a second connection how far
 * it is. Progress keeps the clock of the first byte from running out and is journaled; a server that bills nothing and
 * says for as long as `stallMs` that nothing moves is given up. A look that fails says nothing of the work.
 */
export async function watched<Done>(
  call: Conversation,
  send: (clocks: Partial<Clocks>) => Promise<Done>,
): Promise<Done> {
  const { work, connection } = call;
  const calls = connection.provider.image?.watch;
  if (calls === undefined) return send({});
  const { io } = work.environment;
  const over = new AbortController();
  const stall = new AbortController();
  const seen: Seen = { movedAt: io.now(), progress: 0, told: 0 };
  let stopTimer = () => {};
  const lookLater = () => {
    stopTimer = io.timer(io.now() + WATCH_EVERY_MS, async () => {
      const progress = await look(call, calls, over.signal);
      if (over.signal.aborted) return;
      if (progress !== undefined) note(work, seen, progress, stall);
      lookLater();
    });
  };
  lookLater();
  try {
    return await send({ progressAt: () => seen.movedAt, stalled: stall.signal });
  } finally {
    over.abort();
    stopTimer();
  }
}

interface Seen {
  movedAt: number;
  progress: number;
  /** The furthest that was journaled. */
  told: number;
}

type WatchCall = NonNullable<NonNullable<Conversation['connection']['provider']['image']>['watch']>;

/** Undefined where the look failed, or the server does not say. */
async function look(call: Conversation, calls: WatchCall, over: AbortSignal): Promise<number | undefined> {
  const { work, connection } = call;
  const { io, assets } = work.environment;
  // What it shows of the picture so far must not come among the pictures of the answer.
  const intake = createIntake(assets, { maxBlobs: 1 });
  try {
    const request = calls.build(contextOf(work, connection));
    const authorized = connection.provider.authorize(request, credentialOf(connection, work.credential));
    const done = await exchange(io, authorized, {
      ...exchangeOptions(work, intake),
      ...{ connectMs: WATCH_TOTAL_MS, firstByteMs: WATCH_TOTAL_MS, idleMs: WATCH_TOTAL_MS, totalMs: WATCH_TOTAL_MS },
      deadlineAt: io.now() + WATCH_TOTAL_MS,
      cancel: over,
      harvestMs: () => 0,
      onClock: () => {},
    });
    if (!done.ok || failureOf(connection.provider, done.response, io.now())) return undefined;
    const { progress } = calls.parse(done.response);
    return progress !== undefined && Number.isFinite(progress) ? progress : undefined;
  } catch {
    return undefined;
  } finally {
    await intake.discardAll();
  }
}

/** A server that works for others first starts over between their pictures: any change is news, only growth is told. */
function note(
  { attempt, target, environment, append }: AttemptWork,
  seen: Seen,
  progress: number,
  stall: AbortController,
) {
  const now = environment.io.now();
  if (progress !== seen.progress) {
    seen.progress = progress;
    seen.movedAt = now;
  }
  if (Math.floor(progress) > seen.told) {
    seen.told = Math.floor(progress);
    const pollAt = now + WATCH_EVERY_MS;
    // A lost journal shows at the next append; here nobody could act on it.
    append({ type: 'polled', at: now, attempt, pollAt, progress: Math.min(100, progress) }).catch(() => {});
  }
  const { stallMs = STALL_MS } = target;
  if (target.free && now - seen.movedAt >= stallMs) stall.abort(stalled(target.id, stallMs, 'stall_timeout_ms'));
}
