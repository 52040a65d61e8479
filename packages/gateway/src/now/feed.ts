import type { Io, JsonObject } from '@onetake/core';

/** Tells everybody who listens how things stand: one look for all, and none while nobody listens. */
export interface Feed {
  /**
   * Sends at once, then when something changed, at most once a second, and at least every ten. Returns what ends it;
   * undefined where as many listen as may.
   */
  listen(send: (data: string) => void): (() => void) | undefined;
  /** A look of less than a second ago, or a new one. */
  latest(): Promise<JsonObject>;
}

export interface FeedOptions {
  readonly look: () => Promise<JsonObject>;
  readonly io: Pick<Io, 'now' | 'timer'>;
  /** It is tried again a second later. */
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 1_000;
const AT_LEAST_EVERY_MS = 10_000;
const MOST_LISTENERS = 100;

export function createFeed({ look, io, onError }: FeedOptions): Feed {
  const listeners = new Set<(data: string) => void>();
  const { latest, lookNow } = sharedLook(look, io);
  const sent = { at: Number.NEGATIVE_INFINITY, text: '' };
  let stopTimer: (() => void) | undefined;

  /** Other than what was told last, but for the instant. */
  function isNews(view: JsonObject): boolean {
    const text = JSON.stringify({ ...view, at: undefined });
    const isOther = text !== sent.text;
    sent.text = text;
    return isOther;
  }

  /** Somebody came: what stands is told them alone, and to nobody again. */
  async function greet(entry: (data: string) => void): Promise<void> {
    try {
      const view = await latest();
      if (!listeners.has(entry)) return;
      if (listeners.size === 1) {
        isNews(view);
        sent.at = io.now();
      }
      entry(JSON.stringify(view));
    } catch (error) {
      onError(error);
    }
  }

  async function tick(): Promise<void> {
    try {
      const view = await lookNow();
      if (isNews(view) || io.now() - sent.at >= AT_LEAST_EVERY_MS) {
        const data = JSON.stringify(view);
        sent.at = io.now();
        for (const send of [...listeners]) send(data);
      }
    } catch (error) {
      onError(error);
    }
    later();
  }

  function later(): void {
    // Who left and came back while a look was under way began a timer of their own.
    stopTimer?.();
    stopTimer = listeners.size === 0 ? undefined : io.timer(io.now() + EVERY_MS, () => void tick());
  }

  return {
    latest,
    listen(send) {
      if (listeners.size >= MOST_LISTENERS) return undefined;
      // An entry of its own, whoever passes the same function twice.
      const entry = (data: string) => send(data);
      listeners.add(entry);
      void greet(entry);
      if (stopTimer === undefined) later();
      return () => {
        listeners.delete(entry);
        if (listeners.size > 0) return;
        stopTimer?.();
        stopTimer = undefined;
      };
    },
  };
}

/** One look at a time, for all who ask meanwhile. */
function sharedLook(look: () => Promise<JsonObject>, io: Pick<Io, 'now'>) {
  let last: { readonly at: number; readonly view: JsonObject } | undefined;
  let looking: Promise<JsonObject> | undefined;
  const lookOnce = async (): Promise<JsonObject> => {
    const view = await look();
    last = { at: io.now(), view };
    return view;
  };
  const lookNow = (): Promise<JsonObject> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  return { lookNow, latest: async () => (last && Math.abs(io.now() - last.at) < EVERY_MS ? last.view : lookNow()) };
}
