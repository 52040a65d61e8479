import { fork } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isObject, type SandboxAddress } from '@onetake/core';

/** The sandbox that runs now: its properties change when it was started again. */
export interface SandboxProcess extends SandboxAddress {
  readonly pid: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;
const MAX_RESTARTS = 5;
const RESTARTS_WITHIN_MS = 60_000;

/**
 * Starts the sandbox as a child that dies with this process: its ipc channel closes even after a kill -9. It binds
 * free ports and says which. When it ends by itself it is started again, at most five times a minute; until then its
 * old address refuses connections. Rejects when the first start fails.
 */
export async function startSandboxProcess(dataDir: string): Promise<SandboxProcess> {
  const stopping = new AbortController();
  let child = launch(dataDir);
  let running = await child.ready;

  async function keepRunning(): Promise<void> {
    const restarts: number[] = [];
    for (;;) {
      await child.exited;
      const delayMs = restartDelayMs(restarts, performance.now());
      await pause(delayMs, undefined, { ref: false, signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      restarts.push(performance.now());
      if (restarts.length > MAX_RESTARTS) restarts.shift();
      child = launch(dataDir);
      // A start that fails ends its child, having said why on stderr: that is one more exit.
      running = await child.ready.catch(() => running);
    }
  }

  const kept = keepRunning();
  return {
    get url() {
      return running.url;
    },
    get refusePort() {
      return running.refusePort;
    },
    get resetPort() {
      return running.resetPort;
    },
    get pid() {
      return running.pid;
    },
    async stop() {
      stopping.abort();
      child.end();
      await kept;
    },
  };
}

/** How long the next restart has to wait after the last `restarts` (ascending, in ms of the same clock as `now`). */
export function restartDelayMs(restarts: readonly number[], now: number): number {
  const first = restarts.at(-MAX_RESTARTS);
  return first === undefined || restarts.length < MAX_RESTARTS ? 0 : Math.max(0, first + RESTARTS_WITHIN_MS - now);
}

interface Child {
  /** Rejects when it does not start, and then it is killed. */
  readonly ready: Promise<SandboxAddress & { readonly pid: number }>;
  readonly exited: Promise<void>;
  end(): void;
}

function launch(dataDir: string): Child {
  const child = fork(fileURLToPath(import.meta.resolve('@onetake/sandbox/main')), ['--port', '0', '--data', dataDir], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // An error instead of an exit: it could not even be spawned.
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()).on('error', () => resolve()));
  const said = new Promise<unknown>((resolve, reject) => {
    const late = () => reject(new Error(`the sandbox did not start within ${START_TIMEOUT_MS} ms`));
    const timer = setTimeout(late, START_TIMEOUT_MS);
    const settled = (settle: () => void) => {
      clearTimeout(timer);
      settle();
    };
    child.once('message', (message) => settled(() => resolve(message)));
    exited.then(() => settled(() => reject(new Error('the sandbox ended while it started'))));
  });

  async function start() {
    try {
      const address = readAddress(await said);
      if (address === undefined || child.pid === undefined) throw new Error('the sandbox said nothing of its address');
      return { ...address, pid: child.pid };
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      // A gateway whose work is done must not be kept alive by its sandbox.
      child.unref();
      child.channel?.unref();
    }
  }

  return {
    ready: start(),
    exited,
    end() {
      child.ref();
      child.kill('SIGTERM');
    },
  };
}

function readAddress(message: unknown): SandboxAddress | undefined {
  if (!isObject(message)) return undefined;
  const { url, refusePort, resetPort } = message;
  if (typeof url !== 'string' || typeof refusePort !== 'number' || typeof resetPort !== 'number') return undefined;
  return { url, refusePort, resetPort };
}
