import { fileURLToPath } from 'node:url';
import { removeDirectory, temporaryDirectory } from './directories.ts';
import { runFile } from './processes.ts';

/** A provider of its own, which lives on when a gateway is killed. */
export interface RunningSandbox {
  readonly url: string;
  readonly refusePort: number;
  readonly resetPort: number;
  close(): Promise<void>;
}

const MAIN = fileURLToPath(import.meta.resolve('@onetake/sandbox/main'));

export async function startSandbox(): Promise<RunningSandbox> {
  const dataDir = temporaryDirectory();
  const running = runFile(MAIN, ['--port', '0', '--data', dataDir]);
  const [line] = await running.said(/^\{.*\}$/m);
  const { url, refusePort, resetPort } = JSON.parse(line) as RunningSandbox;
  const close = async () => {
    await running.end('SIGTERM');
    removeDirectory(dataDir);
  };
  return { url, refusePort, resetPort, close };
}
