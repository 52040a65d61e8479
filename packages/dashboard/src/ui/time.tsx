import { useSyncExternalStore } from 'react';
import { ago, clock, duration } from './format.ts';

const TICK_MS = 1_000;
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;
let nowMs = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  nowMs = Date.now();
  ticking ??= setInterval(() => {
    nowMs = Date.now();
    for (const one of [...listeners]) one();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}

/** The time (epoch ms), once a second; one timer for all who ask. Ask in the smallest component that shows it. */
export function useSeconds(): number {
  return useSyncExternalStore(subscribe, () => nowMs);
}

interface TimeProps {
  /** Epoch ms. */
  readonly at: number;
}

/** An instant by the local clock, with the ISO one in its title. */
export function Time({ at }: TimeProps) {
  return <Instant at={at} text={clock(at)} />;
}

/** `12 s ago` or `in 3 min`, and it goes on. */
export function Ago({ at }: TimeProps) {
  return <Instant at={at} text={ago(at, useSeconds())} />;
}

/** How long it has been going on, and it goes on. */
export function Elapsed({ at }: TimeProps) {
  return <Instant at={at} text={duration(Math.max(0, useSeconds() - at))} />;
}

/** What is left until then; `over` once it is past. */
export function Countdown({ at, over }: TimeProps & { readonly over: string }) {
  const left = at - useSeconds();
  return <Instant at={at} text={left <= 0 ? over : `in ${duration(Math.ceil(left / TICK_MS) * TICK_MS)}`} />;
}

function Instant({ at, text }: TimeProps & { readonly text: string }) {
  const iso = new Date(at).toISOString();
  return (
    <time dateTime={iso} title={iso} className="nowrap">
      {text}
    </time>
  );
}
