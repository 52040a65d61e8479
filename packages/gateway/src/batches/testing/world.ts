import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Outcome } from '@onetake/core';
import type { RunningChat } from '../../chat/chats.ts';
import type { Cell, Change, Store, StoredGeneration } from '../../store/store.ts';
import type { Generations, Submission } from '../../tasks/generations.ts';
import type { Tasks } from '../../tasks/tasks.ts';
import { endEvents, sampleImage, sampleSnapshot, startedEvent } from '../../testing/task-samples.ts';
import { createBatches } from '../batches.ts';
import { type Files, newFileId, openFiles, type StoredFile } from '../files.ts';
import type { RequestLine } from '../request-line.ts';
import { CATALOGUE, createChatWorld } from './chat-world.ts';

export const ENDPOINT = '/v1/images/generations';
export const PICTURE = { ok: true, images: [sampleImage()] } as const satisfies Outcome;
const MAX_LOOKS = 100_000;

/** A store, a queue and a clock of nodes that share a directory; tasks end when the test says so. */
export function createWorld(context: TestContext, ownership: Store['ownership'] = 'exclusive') {
  const directory = mkdtempSync(join(tmpdir(), 'onetake-batches-'));
  const { promise: over, reject: bury } = Promise.withResolvers<never>();
  over.catch(() => {});
  const stops: (() => Promise<void>)[] = [];
  context.after(async () => {
    bury(new Error('the process is dead'));
    for (const stop of stops) await stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const clock = createClock();
  const cells = createCells();
  const tasks = createTaskWorld(cells.tell, clock.now);
  const chats = createChatWorld(clock.now);
  return { directory, clock, cells, tasks, chats, ownership, over, stops };
}

export type World = ReturnType<typeof createWorld>;

/** One gateway of the world. After `die` nothing it still does has an effect, as after `kill -9`. */
export async function createNode(world: World, options: { readonly lookahead?: number } = {}) {
  const { directory, clock, cells, tasks, chats, ownership, over } = world;
  let isDead = false;
  const alive = <Args extends readonly unknown[], Result>(act: (...args: Args) => Promise<Result>) => {
    return (...args: Args): Promise<Result> => (isDead ? over : act(...args));
  };
  const files = await openFiles(join(directory, 'files'));
  const store = {
    ownership,
    readCell: alive(cells.readCell),
    readCells: alive(cells.readCells),
    swapCell: alive(cells.swapCell),
    onChange: cells.onChange,
    read: alive(tasks.read),
    findIdempotent: alive(tasks.findIdempotent),
  } as unknown as Store;
  const errors: unknown[] = [];
  const batches = await createBatches({
    ...{ store, files, directory: join(directory, 'batches'), io: clock },
    generations: { submit: alive(tasks.submit) },
    chats: { begin: (work) => (isDead ? undefined : deadlyChat(chats.begin(work), () => isDead, over)) },
    catalogue: CATALOGUE,
    keys: { named: () => undefined },
    tasks: { cancel: alive(tasks.cancel) },
    assets: { size: async () => 3, read: pictureBytes },
    assetsUrl: () => 'http://x/v1/assets',
    config: { webhooks: { allowPrivate: false, callers: {} } },
    log: { error: (...told: unknown[]) => void errors.push(told) },
    lookahead: options.lookahead ?? 4,
  });
  world.stops.push(batches.stop);
  await batches.start();
  return {
    batches,
    files,
    errors,
    die: () => {
      isDead = true;
    },
  };
}

export type Node = Awaited<ReturnType<typeof createNode>>;

/** The process that dies hears no answer. */
function deadlyChat(chat: RunningChat | undefined, isDead: () => boolean, over: Promise<never>) {
  return chat && { ...chat, outcome: chat.outcome.then((outcome) => (isDead() ? over : outcome)) };
}

async function* pictureBytes() {
  yield Buffer.from('abc');
}

function createClock() {
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  let current = 1_000_000;
  let next = 0;
  return {
    now: () => current,
    timer(at: number, callback: () => void) {
      next += 1;
      const id = next;
      timers.set(id, { at, callback });
      return () => void timers.delete(id);
    },
    /** Fires what is due by then, once. */
    advance(ms: number) {
      current += ms;
      for (const [id, { at, callback }] of [...timers].toSorted((a, b) => a[1].at - b[1].at)) {
        if (at <= current && timers.delete(id)) callback();
      }
    },
  };
}

function createCells() {
  const cells = new Map<string, Cell>();
  const listeners = new Set<(change: Change) => void>();
  const tell = (change: Change) => {
    for (const listener of [...listeners]) listener(change);
  };
  return {
    tell,
    readCell: async (key: string) => cells.get(key),
    readCells: async (prefix: string) => {
      const found = [...cells.values()].filter(({ key }) => key.startsWith(prefix));
      return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    },
    async swapCell(key: string, version: number, value: Cell['value']) {
      if ((cells.get(key)?.version ?? 0) !== version) return false;
      cells.set(key, { key, version: version + 1, value: structuredClone(value) });
      tell({ kind: 'cell', key });
      return true;
    },
    onChange(listener: (change: Change) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function createTaskWorld(tell: (change: Change) => void, now: () => number) {
  const byId = new Map<string, StoredGeneration>();
  const byKey = new Map<string, string>();
  const submitted: Submission[] = [];
  let onSubmitted = (_count: number) => {};
  let isFull = false;
  const isOpen = ({ status }: StoredGeneration) => status === 'pending' || status === 'processing';

  function end(id: string, outcome: Outcome): void {
    const task = byId.get(id);
    if (task === undefined || !isOpen(task)) return;
    const status = outcome.ok ? 'completed' : outcome.failure.kind === 'canceled' ? 'canceled' : 'failed';
    byId.set(id, { ...task, status, finishedAt: now(), journals: [[startedEvent(), ...endEvents(outcome, now())]] });
    tell({ kind: 'finished', id });
  }

  const submit: Generations['submit'] = async (submission) => {
    submitted.push(submission);
    const key = submission.idempotencyKey ?? '';
    const known = byKey.get(key);
    if (known !== undefined) return { kind: 'task', id: known, replayed: true };
    if (submission.model === 'nowhere') {
      return { kind: 'refused', failure: { kind: 'not_found', certainty: 'not_sent', message: 'nobody knows it' } };
    }
    if (isFull) return { kind: 'full', message: 'as many wait as may' };
    const id = `gen_${byId.size}`;
    const { caller, requestId } = submission;
    const { prompt } = submission.request;
    byId.set(id, { ...sampleSnapshot(), id, caller, requestId, prompt, status: 'pending' });
    byKey.set(key, id);
    onSubmitted(submitted.length);
    return { kind: 'task', id, replayed: false };
  };
  const cancel: Tasks['cancel'] = async (id) => {
    const message = 'canceled';
    queueMicrotask(() => end(id, { ok: false, failure: { kind: 'canceled', certainty: 'not_sent', message } }));
    return { kind: 'asked' };
  };

  return {
    submit,
    cancel,
    end,
    submitted,
    read: async (id: string) => byId.get(id),
    findIdempotent: async ({ key }: { readonly key: string }) => {
      const id = byKey.get(key);
      return id === undefined ? undefined : { id, fingerprint: '' };
    },
    all: () => [...byId.values()],
    open: () => [...byId.values()].filter(isOpen),
    /** Calls back after each task that came to be, with how many submissions there were. */
    onSubmitted: (callback: (count: number) => void) => {
      onSubmitted = callback;
    },
    forget: (id: string) => byId.delete(id),
    setFull: (full: boolean) => {
      isFull = full;
    },
  };
}

/** A request line with this id, for a small picture. */
export function requestLine(customId: string, body: RequestLine['body'] = {}) {
  return { custom_id: customId, method: 'POST', url: ENDPOINT, body: { model: 'ok', prompt: customId, ...body } };
}

export function requestLines(count: number) {
  return Array.from({ length: count }, (_, index) => requestLine(`line ${index}`));
}

export async function upload(files: Files, requests: readonly object[], caller = 'local'): Promise<StoredFile> {
  const draft = files.draft();
  await draft.write(Buffer.from(requests.map((one) => JSON.stringify(one)).join('\n')));
  const about = { id: newFileId(), caller, purpose: 'batch', filename: 'a.jsonl' } as const;
  return draft.commit({ ...about, createdAt: 1, expiresAt: Number.MAX_SAFE_INTEGER });
}

/** Makes a batch of these requests. */
export async function createBatch(
  { batches, files }: Node,
  requests: readonly object[],
  caller = 'local',
  endpoint = ENDPOINT,
) {
  const input = await upload(files, requests, caller);
  const wanted = { caller, fromBrowser: false, endpoint, metadata: null, outputMs: 1_000, input };
  const batch = await batches.create(wanted);
  if (batch === undefined) throw new Error('as many batches are open as may be');
  return batch;
}

/** Lets whatever is ready run until this holds; the clock stands still. */
export async function until<Value>(ask: () => Promise<Value | undefined | false> | Value | undefined | false) {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it never came');
}
