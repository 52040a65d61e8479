import { setTimeout as sleep } from 'node:timers/promises';

/** What a webhook says. */
export interface Letter {
  /** JSON. */
  readonly body: string;
  /** Beside those of every webhook: a signature or a secret. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends webhooks: a few at a time, each once and, where that fails, once more. Nobody hears of a failure. */
export interface Courier {
  send(url: string, write: () => Promise<Letter>): void;
  /** Ends what is open and sends nothing more. */
  close(): void;
}

const MAX_OPEN = 16;
const TRIES = 2;
const RETRY_MS = 250;
const TIMEOUT_MS = 5000;

interface Parcel {
  readonly url: string;
  readonly write: () => Promise<Letter>;
}

/** Every job sends at most one, so no more wait than there are jobs in the book. */
export function createCourier(): Courier {
  const waiting: Parcel[] = [];
  const closing = new AbortController();
  let busy = 0;

  const carry = async () => {
    busy++;
    for (let parcel = waiting.shift(); parcel; parcel = waiting.shift()) {
      await deliver(parcel, closing.signal).catch(() => undefined);
    }
    busy--;
  };
  return {
    send(url, write) {
      waiting.push({ url, write });
      if (busy < MAX_OPEN) void carry();
    },
    close() {
      waiting.length = 0;
      closing.abort();
    },
  };
}

async function deliver({ url, write }: Parcel, closing: AbortSignal): Promise<void> {
  const letter = await write();
  for (let tries = 1; tries <= TRIES && !closing.aborted; tries++) {
    if (await post(url, letter, closing)) return;
    if (tries < TRIES) await sleep(RETRY_MS, undefined, { signal: closing, ref: false });
  }
}

async function post(url: string, letter: Letter, closing: AbortSignal): Promise<boolean> {
  try {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]);
    const headers = { 'content-type': 'application/json', 'user-agent': 'onetake-sandbox', ...letter.headers };
    const response = await fetch(url, { method: 'POST', body: letter.body, headers, redirect: 'manual', signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
