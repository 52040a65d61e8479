import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A child process of ours: what it says is kept, and it never outlives this process. */
export interface Running {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The first match in what it has said on stdout; rejects when it ends, or says nothing like it in time. */
  said(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** The exit code, or the signal that ended it, when whatever held its streams has ended too; rejects in time. */
  ended(timeoutMs?: number): Promise<number | NodeJS.Signals>;
  /** Sends the signal and waits for the end; after `STOP_TIMEOUT_MS` it is killed. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 30_000;
const MAX_SAID_CHARACTERS = 1_000_000;

/** What a program of ours may know of the machine: no key and no setting of the person who runs the tests. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'NODE_COMPILE_CACHE'];

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a TypeScript file under this Node; its channel ends it when this process is killed. */
export function runFile(file: string, args: readonly string[], options: RunOptions = {}): Running {
  const { cwd, env = {}, nodeArgs = [] } = options;
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  const child = spawn(process.execPath, ['--conditions=onetake-source', ...nodeArgs, file, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  alive.add(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] = (said[name] + text).slice(-MAX_SAID_CHARACTERS);
    });
  }
  const streams = [child.stdout, child.stderr].map((stream) => stream && once(stream, 'close'));
  const ended = Promise.all([once(child, 'exit'), ...streams]).then(([[code, signal]]) => {
    alive.delete(child);
    return (signal ?? code) as number | NodeJS.Signals;
  });
  return {
    child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    said: (pattern, timeoutMs = START_TIMEOUT_MS) => waitForWords(child, () => said, pattern, timeoutMs),
    ended: (timeoutMs = STOP_TIMEOUT_MS) => within(timeoutMs, ended, () => `it runs on: ${said.stdout}${said.stderr}`),
    end: (signal) => endChild(child, signal, ended),
  };
}

async function endChild<End>(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<End>): Promise<End> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}

async function within<Value>(timeoutMs: number, promise: Promise<Value>, why: () => string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${timeoutMs} ms; ${why()}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function waitForWords(
  child: ChildProcess,
  said: () => { stdout: string; stderr: string },
  pattern: RegExp,
  timeoutMs: number,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = pattern.exec(said().stdout);
      if (match) finish(() => resolve(match));
    };
    const fail = (why: string) =>
      finish(() => reject(new Error(`${why} before it said ${pattern}:\n${said().stdout}${said().stderr}`)));
    const onClose = (code: number | null, signal: string | null) => fail(`the process ended (${signal ?? code})`);
    const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      child.stdout?.off('data', look);
      child.off('close', onClose);
      settle();
    };
    child.stdout?.on('data', look);
    child.on('close', onClose);
    look();
  });
}
