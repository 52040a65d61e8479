import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isObject, type SandboxAddress } from '@onetake/core';

export interface SandboxProcess extends SandboxAddress {
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;

/**
 * Starts the sandbox as a child that dies with this process: its ipc channel closes even after a kill -9. It binds
 * free ports and says which.
 */
export async function startSandboxProcess(dataDir: string): Promise<SandboxProcess> {
  const child = fork(fileURLToPath(import.meta.resolve('@onetake/sandbox/main')), ['--port', '0', '--data', dataDir], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = await new Promise<SandboxAddress>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the sandbox did not start within ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    );
    child.once('message', (message) => {
      clearTimeout(timer);
      const found = readAddress(message);
      if (found) resolve(found);
      else reject(new Error('the sandbox said nothing of its address'));
    });
    exited.then(() => reject(new Error('the sandbox ended while it started')));
  });
  // A gateway whose work is done must not be kept alive by its sandbox.
  child.unref();
  child.channel?.unref();
  return {
    ...address,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function readAddress(message: unknown): SandboxAddress | undefined {
  if (!isObject(message)) return undefined;
  const { url, refusePort, resetPort } = message;
  if (typeof url !== 'string' || typeof refusePort !== 'number' || typeof resetPort !== 'number') return undefined;
  return { url, refusePort, resetPort };
}
