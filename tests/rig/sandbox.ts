import { fileURLToPath } from 'node:url';
import { removeDirectory, temporaryDirectory } from './directories.ts';
import { runFile } from './processes.ts';

/** A provider of its own, which lives on when a gateway is killed. */
export interface RunningSandbox {
  readonly url: string;
  readonly refusePort: number;
  readonly resetPort: number;
  readonly dataDir: string;
  /** `kill -9`, and nothing else: its bill and its jobs stay. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface SandboxOptions {
  /** As in `--limit`, such as `images=5/60s`. */
  readonly limit?: string;
  /** The limit is enforced and not told. */
  readonly silent?: boolean;
}

const MAIN = fileURLToPath(import.meta.resolve('@onetake/sandbox/main'));

export function startSandbox(options: SandboxOptions = {}): Promise<RunningSandbox> {
  return start(temporaryDirectory(), '0', options);
}

/** Starts one that was killed again, where it listened, with what it had. */
export function restartSandbox({ url, dataDir }: RunningSandbox): Promise<RunningSandbox> {
  return start(dataDir, new URL(url).port, {});
}

async function start(dataDir: string, port: string, { limit, silent }: SandboxOptions): Promise<RunningSandbox> {
  const flags = [...(limit === undefined ? [] : ['--limit', limit]), ...(silent ? ['--silent'] : [])];
  const running = runFile(MAIN, ['--port', port, '--data', dataDir, ...flags]);
  const [line] = await running.said(/^\{.*\}$/m);
  const { url, refusePort, resetPort } = JSON.parse(line) as RunningSandbox;
  const close = async () => {
    await running.end('SIGTERM');
    removeDirectory(dataDir);
  };
  return { url, refusePort, resetPort, dataDir, kill: async () => void (await running.end('SIGKILL')), close };
}
