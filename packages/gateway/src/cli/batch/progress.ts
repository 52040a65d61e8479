import cliProgress from 'cli-progress';
import type { CliContext, Output } from '../context.ts';
import { durationText } from '../text.ts';
import type { LineEvent } from './events.ts';
import type { Manifest } from './manifest.ts';
import { dollars } from './money.ts';

/** Shows how far a batch is. */
export interface Progress {
  event(event: LineEvent): void;
  stop(): void;
}

/** What progress is made of. */
export interface Figures {
  readonly total: number;
  readonly done: number;
  /** Without a picture, for whatever reason. */
  readonly failed: number;
  readonly left: number;
  readonly spentUsd: number;
  readonly reservedUsd: number;
  /** Undefined until two lines have ended. */
  readonly etaMs: number | undefined;
}

const PLAIN_EVERY_MS = 5_000;
const BAR_FPS = 4;
const BAR_WIDTH = 24;
/** The pace is that of so many last ends. */
const MAX_ENDS = 100;

/** `ends` are the instants at which the last lines of this session ended, oldest first. */
export function figuresOf(manifest: Manifest, ends: readonly number[], now: number): Figures {
  const { lines, charged, reservedMicros } = manifest.totals();
  const left = lines.pending + lines.sent + lines.accepted;
  const failed = lines.failed + lines.unknown;
  const [first] = ends;
  const pace = first === undefined || ends.length < 2 ? undefined : (now - first) / (ends.length - 1);
  return {
    total: left + failed + lines.done,
    done: lines.done,
    failed,
    left,
    spentUsd: dollars(charged.countedMicros),
    reservedUsd: dollars(reservedMicros),
    etaMs: pace === undefined ? undefined : pace * left,
  };
}

export function figuresText({ total, done, failed, left, spentUsd, reservedUsd, etaMs }: Figures): string {
  const money = `$${spentUsd.toFixed(2)} spent · $${reservedUsd.toFixed(2)} reserved`;
  const eta = left > 0 && etaMs !== undefined ? ` · ${durationText(etaMs)} left` : '';
  return `${done}/${total} done · ${failed} failed · ${left} left · ${money}${eta}`;
}

/** A bar on a terminal, a line every 5 s elsewhere; with `json`, every end as a line of JSON on stdout besides. */
export function showProgress(context: CliContext, manifest: Manifest, json: boolean): Progress {
  const ends: number[] = [];
  const figures = () => figuresOf(manifest, ends, Date.now());
  const shown = isStream(context.stderr) ? bar(context.stderr, figures) : plainLines(context.stderr, figures);
  return {
    event(event) {
      if (event.type !== 'done' && event.type !== 'failed' && event.type !== 'unknown') return;
      ends.push(event.at);
      if (ends.length > MAX_ENDS) ends.shift();
      shown.changed();
      if (json) context.stdout.write(`${JSON.stringify(jsonLine(event))}\n`);
    },
    stop: shown.stop,
  };
}

interface Shown {
  changed(): void;
  stop(): void;
}

function bar(stream: NodeJS.WritableStream, figures: () => Figures): Shown {
  const { total, done, failed } = figures();
  const one = new cliProgress.SingleBar({
    stream,
    format: '[{bar}] {text}',
    barsize: BAR_WIDTH,
    fps: BAR_FPS,
    hideCursor: null,
    // The command's own handling of Ctrl-C is the only one.
    gracefulExit: false,
  });
  one.start(total, done + failed, { text: figuresText(figures()) });
  const changed = () => {
    const now = figures();
    one.update(now.done + now.failed, { text: figuresText(now) });
  };
  return {
    changed,
    stop() {
      changed();
      one.stop();
    },
  };
}

function plainLines(output: Output, figures: () => Figures): Shown {
  const write = () => void output.write(`${figuresText(figures())}\n`);
  const timer = setInterval(write, PLAIN_EVERY_MS);
  timer.unref();
  return {
    changed() {},
    stop() {
      clearInterval(timer);
      write();
    },
  };
}

function isStream(output: Output): output is Output & NodeJS.WritableStream {
  return output.isTTY === true && 'once' in output;
}

function jsonLine(event: Extract<LineEvent, { type: 'done' | 'failed' | 'unknown' }>) {
  const { type, at: _at, charge, ...rest } = event;
  return { type: 'line', status: type, ...rest, ...charge };
}
